defmodule Heartwire.Question do
  @moduledoc false
  # Asks a function of the host's in a process of its own, so that neither a busy owner nor a slow
  # function holds up anything but what is asked about. The function is ended when its answer would
  # be too late, or the connection's process is gone.

  require Logger

  @doc """
  Has `ask` run and its result handed to `decide`: `{:ok, result}`, `{:error, text}` if it raised or
  was ended, or `:late`. Returns at once.

  `name` is what the log calls the function.
  """
  @spec put(pid, String.t(), non_neg_integer, (() -> result), (reply -> term)) :: :ok
        when result: term, reply: {:ok, result} | {:error, String.t()} | :late
  def put(connection, name, delay_ms, ask, decide) do
    spawn(fn ->
      Process.monitor(connection)

      case await(name, delay_ms, ask) do
        :gone -> :ok
        reply -> decide.(reply)
      end
    end)

    :ok
  end

  @doc "Logs what is wrong with an answer."
  @spec failed(String.t(), String.t()) :: :ok
  def failed(name, text), do: Logger.error("A #{name} function failed. #{text}")

  defp await(name, delay_ms, ask) do
    asking = self()
    {pid, monitor} = spawn_monitor(fn -> send(asking, {:answer, call(name, ask)}) end)

    receive do
      {:answer, answer} ->
        answer

      {:DOWN, ^monitor, :process, ^pid, reason} ->
        text = "Its process was ended: #{inspect(reason)}"
        failed(name, text)
        {:error, text}

      {:DOWN, _connection, :process, _pid, _reason} ->
        Process.exit(pid, :kill)
        :gone
    after
      delay_ms ->
        Process.exit(pid, :kill)
        :late
    end
  end

  defp call(name, ask) do
    {:ok, ask.()}
  catch
    kind, reason ->
      Logger.error("A #{name} function failed: #{Exception.format(kind, reason, __STACKTRACE__)}")
      {:error, Exception.format_banner(kind, reason)}
  end
end
