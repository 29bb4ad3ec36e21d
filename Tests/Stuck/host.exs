# A program that keeps every scheduler of the virtual machine busy; prints how often its connection was lost, as JSON.
#
#     mix run host.exs URL SECONDS

defmodule Host do
  def main([url, seconds]) do
    {:ok, socket} = Heartwire.start_link(url: url, preset: "deribit")

    receive do
      {:heartwire, ^socket, {:text, _request}} -> :ok
    end

    keep_schedulers_busy(String.to_integer(seconds) * 1000)
    {:ok, metrics} = Heartwire.metrics(socket)
    :ok = Heartwire.close(socket)
    monitor = Process.monitor(socket)

    receive do
      {:DOWN, ^monitor, :process, _pid, _reason} -> :ok
    end

    IO.puts(~s({"reconnections": #{metrics.reconnections}}))
  end

  # Nothing of a lower priority runs while a scheduler has a process of the priority max.
  defp keep_schedulers_busy(milliseconds) do
    ends_at = System.monotonic_time(:millisecond) + milliseconds

    spinning =
      for scheduler <- 1..System.schedulers_online() do
        :erlang.spawn_opt(
          fn -> spin(ends_at) end,
          [:monitor, scheduler: scheduler, priority: :max]
        )
      end

    for {_pid, monitor} <- spinning do
      receive do
        {:DOWN, ^monitor, :process, _pid, :normal} -> :ok
      end
    end
  end

  defp spin(ends_at) do
    if System.monotonic_time(:millisecond) < ends_at, do: spin(ends_at)
  end
end

Host.main(System.argv())
