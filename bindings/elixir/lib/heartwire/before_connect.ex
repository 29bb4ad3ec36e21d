defmodule Heartwire.BeforeConnect do
  @moduledoc false
  # Asks the host's function what an attempt to connect goes by, in a process of its own, so that
  # neither a busy owner nor a slow function holds up anything but that attempt. The function is
  # ended when its answer would be too late, or the connection's process is gone.

  require Logger

  alias Heartwire.{Error, Event, NIF, Options}

  @doc "Has the function asked about the attempt of an event, and its answer handed over."
  @spec ask(NIF.connection(), Heartwire.before_connect(), Event.t()) :: :ok
  def ask(handle, function, %Event{kind: :connect_due} = event) do
    connection = self()

    spawn(fn ->
      Process.monitor(connection)
      event |> answer(function) |> proceed(handle, event.attempt_id)
    end)

    :ok
  end

  defp answer(event, function) do
    asking = self()
    {pid, monitor} = spawn_monitor(fn -> send(asking, {:answer, call(function, event)}) end)

    receive do
      {:answer, answer} ->
        answer

      {:DOWN, ^monitor, :process, ^pid, reason} ->
        failed("Its process was ended: #{inspect(reason)}")

      {:DOWN, _connection, :process, _pid, _reason} ->
        Process.exit(pid, :kill)
        :gone
    after
      event.delay_ms ->
        Process.exit(pid, :kill)
        :late
    end
  end

  defp call(function, event) do
    event |> function.() |> understood()
  catch
    kind, reason ->
      Logger.error(
        "A before_connect function failed: #{Exception.format(kind, reason, __STACKTRACE__)}"
      )

      {:refuse, Exception.format_banner(kind, reason)}
  end

  defp understood(:ok), do: {:go_on, nil, []}

  defp understood({:ok, options}) when is_list(options) do
    with true <- Keyword.keyword?(options),
         {:ok, given} <- Keyword.validate(options, url: nil, headers: []),
         true <- is_nil(given[:url]) or is_binary(given[:url]),
         {:ok, headers} <- Options.headers(given[:headers]) do
      {:go_on, given[:url], headers}
    else
      {:error, %Error{message: message}} -> raise ArgumentError, message
      _ -> misunderstood()
    end
  end

  defp understood({:error, text}) when is_binary(text), do: {:refuse, text}
  defp understood(_other), do: misunderstood()

  # What it returned may hold credentials, which stand in no error text.
  defp misunderstood do
    raise ArgumentError,
          "it must return :ok, {:ok, [url: url, headers: headers]} or {:error, text}"
  end

  defp failed(text) do
    Logger.error("A before_connect function failed. #{text}")
    {:refuse, text}
  end

  # The library reports an answer that is late.
  defp proceed(silence, _handle, _attempt_id) when silence in [:gone, :late], do: :ok

  defp proceed({:refuse, text}, handle, attempt_id) do
    NIF.proceed(handle, attempt_id, String.replace(text, <<0>>, ""))
    :ok
  end

  defp proceed({:go_on, url, headers}, handle, attempt_id) do
    case NIF.proceed(handle, attempt_id, {url, headers}) do
      :ok ->
        :ok

      # The attempt is over, or the connection.
      {:error, %{status: status}} when status in [:state, :handle] ->
        :ok

      {:error, fields} ->
        %Error{message: message} = Error.new(fields)
        proceed(failed(message), handle, attempt_id)
    end
  end
end
