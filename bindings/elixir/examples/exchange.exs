# Keeps a connection to an exchange that sends trades, asks for a sign of life and cuts the line.
#
#     mix run examples/exchange.exs URL [--ca FILE] [--seconds N]

defmodule Exchange do
  @usage "usage: exchange.exs URL [--ca FILE] [--seconds N]"
  @progress_ms 1000
  @close_ms 5000

  def main(arguments) do
    {url, options} = parse(arguments)
    # A connection that fails is reported here and must not end the program without a result.
    Process.flag(:trap_exit, true)

    socket =
      case Heartwire.start_link(
             [url: url, ping_interval: "1s"] ++ Keyword.take(options, [:tls_ca_file])
           ) do
        {:ok, socket} -> socket
        {:error, error} -> abort("exchange: #{error.status}: #{error.message}", 1)
      end

    {:ok, timer} = :timer.send_interval(@progress_ms, :progress)
    Process.send_after(self(), :finish, Keyword.get(options, :seconds, 10) * 1000)
    counters = follow(socket, %{messages: 0, answers: 0})
    {:ok, _} = :timer.cancel(timer)
    finish(socket, counters)
  end

  defp parse(arguments) do
    case OptionParser.parse(arguments, strict: [ca: :string, seconds: :integer]) do
      {options, [url], []} ->
        {url,
         Enum.map(options, fn {key, value} ->
           {if(key == :ca, do: :tls_ca_file, else: key), value}
         end)}

      _ ->
        abort(@usage, 2)
    end
  end

  # Receives until the time is up.
  defp follow(socket, counters) do
    receive do
      {:heartwire, ^socket, {:event, event}} ->
        report(event)
        follow(socket, counters)

      {:heartwire, ^socket, {:text, message}} ->
        follow(socket, handle(socket, message, counters))

      :progress ->
        print_progress(socket, counters)
        follow(socket, counters)

      :finish ->
        counters

      {:EXIT, ^socket, reason} ->
        abort("exchange: the connection ended: #{inspect(reason)}", 1)
    end
  end

  defp handle(socket, message, counters) do
    counters = %{counters | messages: counters.messages + 1}

    if String.contains?(message, ~s("test_request")),
      do: answer(socket, counters),
      else: counters
  end

  defp answer(socket, counters) do
    id = counters.answers + 1
    text = ~s({"jsonrpc":"2.0","id":#{id},"method":"public/test","params":{}})

    case Heartwire.send(socket, {:text, text}) do
      :ok ->
        %{counters | answers: id}

      {:error, error} ->
        line("answer not sent: #{error.status}")
        counters
    end
  end

  defp report(%{kind: :state, state: state}), do: line("state -> #{state}")

  defp report(%{kind: :closed} = event),
    do: line("connection #{event.epoch} ended: code #{event.close_code}, #{event.text}")

  defp report(%{kind: :attempt_failed} = event),
    do: line("attempt #{event.attempt} failed: #{event.status}, #{event.text}")

  defp report(%{kind: :beat_missed} = event),
    do: line("ping unanswered, #{event.count} in a row")

  defp report(_event), do: :ok

  defp print_progress(socket, counters) do
    {:ok, metrics} = Heartwire.metrics(socket)

    :io.format("elixir  | messages ~5b  answered ~3b  pings ~3b  rtt ~6.2f ms~n", [
      counters.messages,
      counters.answers,
      metrics.beats_sent,
      metrics.rtt_last_ns / 1.0e6
    ])
  end

  # The metrics end with the connection's process, so they are read before the close.
  defp finish(socket, counters) do
    {:ok, metrics} = Heartwire.metrics(socket)
    :ok = Heartwire.close(socket)
    counters = drain(socket, counters)

    IO.puts(
      ~s(RESULT {"program": "elixir", "messages": #{counters.messages}, ) <>
        ~s("answers": #{counters.answers}, "pings": #{metrics.beats_sent}, ) <>
        ~s("reconnections": #{metrics.reconnections}, ) <>
        ~s("rtt_last_us": #{div(metrics.rtt_last_ns, 1000)}, ) <>
        ~s("rtt_mean_us": #{div(metrics.rtt_mean_ns, 1000)}})
    )
  end

  # What was on its way before the server's answer to the close still counts.
  defp drain(socket, counters) do
    receive do
      {:heartwire, ^socket, {:text, _message}} ->
        drain(socket, %{counters | messages: counters.messages + 1})

      {:heartwire, ^socket, {:event, event}} ->
        report(event)
        drain(socket, counters)

      {:EXIT, ^socket, _reason} ->
        counters
    after
      @close_ms -> counters
    end
  end

  defp line(text), do: IO.puts("elixir  | #{text}")

  defp abort(text, status) do
    IO.puts(:stderr, text)
    System.halt(status)
  end
end

Exchange.main(System.argv())
