defmodule Heartwire.MetricsTest do
  use Heartwire.Case

  # A sample of the present text; nil if there is none.
  defp value(name, connection, more \\ "") do
    sample = ~s(heartwire_#{name}{connection="#{connection}"#{more}} )

    Heartwire.metrics()
    |> String.split("\n")
    |> Enum.find_value(fn line ->
      if String.starts_with?(line, sample), do: String.replace_prefix(line, sample, "")
    end)
  end

  test "metrics/0 tells of all connections of the VM" do
    socket = connect!(url(:ws, "/echo"), metrics_name: "elixir \"feed\"")
    name = ~S(elixir \"feed\")
    assert value("connections", name, ~s(,state="connected")) == "1"
    :ok = Heartwire.send(socket, {:text, "hello"})
    assert await_message(socket) == {:text, "hello"}
    assert value("messages_received_total", name) == "1"
    assert value("received_bytes_total", name) == "7"
    assert String.ends_with?(Heartwire.metrics(), "\n# EOF\n")
  end

  test "counters outlive their connections, gauges do not" do
    socket = connect!(url(:ws, "/echo"), metrics_name: "gone")
    :ok = Heartwire.send(socket, {:text, "hello"})
    await_message(socket)
    :ok = Heartwire.close(socket)
    assert await_exit(socket) == :normal
    eventually(fn -> value("connections", "gone", ~s(,state="connected")) == nil end)
    assert value("messages_received_total", "gone") == "1"
  end

  test "a name that cannot be shown" do
    assert {:error, {%Error{status: :value} = error, _child}} = start(metrics_name: "a\nb")
    assert error.message =~ "metrics.name"
  end

  defp start(options) do
    case Heartwire.start_link([url: "ws://localhost/"] ++ options) do
      {:error, {:shutdown, error}} -> {:error, {error, nil}}
      {:error, %Error{} = error} -> {:error, {error, nil}}
      other -> other
    end
  end
end
