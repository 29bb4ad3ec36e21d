defmodule Heartwire.Application do
  @moduledoc false
  use Application

  require Logger

  # As long as a supervisor gives a worker.
  @shutdown_ms 5_000

  # The registry lets a caller reach a connection's native handle without asking its process.
  @impl Application
  def start(_type, _arguments) do
    # A script ends without stopping its applications.
    System.at_exit(fn _status -> shut_down() end)
    children = [{Registry, keys: :unique, name: Heartwire.Registry}, Heartwire.Log]
    Supervisor.start_link(children, strategy: :one_for_one, name: Heartwire.Supervisor)
  end

  # Applications that use this one have been stopped before it.
  @impl Application
  def prep_stop(state) do
    shut_down()
    state
  end

  defp shut_down do
    case Heartwire.shutdown(@shutdown_ms) do
      %{connections_cut: 0, connections_unsent: 0} ->
        :ok

      report ->
        Logger.warning(
          "Of #{report.connections} connections #{report.connections_cut} were cut off, " <>
            "and #{report.messages_unsent} messages were not sent"
        )
    end
  end
end
