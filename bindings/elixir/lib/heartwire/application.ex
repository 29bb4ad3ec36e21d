defmodule Heartwire.Application do
  @moduledoc false
  use Application

  # The registry lets a caller reach a connection's native handle without asking its process.
  @impl Application
  def start(_type, _arguments) do
    children = [{Registry, keys: :unique, name: Heartwire.Registry}, Heartwire.Log]
    Supervisor.start_link(children, strategy: :one_for_one, name: Heartwire.Supervisor)
  end
end
