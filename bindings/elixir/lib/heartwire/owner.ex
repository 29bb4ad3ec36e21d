defmodule Heartwire.Owner do
  @moduledoc false
  # Who receives messages and events.

  alias Heartwire.Error

  @doc "How long an owner's message queue may be, unless another length is given."
  @spec queue_max() :: pos_integer
  def queue_max, do: 10_000

  @spec find(GenServer.server()) :: {:ok, pid} | {:error, Error.t()}
  def find(owner) do
    case GenServer.whereis(owner) do
      pid when is_pid(pid) ->
        {:ok, pid}

      _ ->
        message = "No process of this node is the owner #{inspect(owner)}."
        {:error, Error.new(status: :argument, layer: :delivery, message: message)}
    end
  rescue
    _not_a_server ->
      message = "An owner is a process or its name, not #{inspect(owner)}."
      {:error, Error.new(status: :argument, layer: :delivery, message: message)}
  end

  @doc "True if the owner must be given nothing more. The queue of one on another node cannot be seen."
  @spec crowded?(pid, pos_integer) :: boolean
  def crowded?(owner, high_water) when node(owner) == node() do
    case Process.info(owner, :message_queue_len) do
      {:message_queue_len, length} -> length >= high_water
      nil -> false
    end
  end

  def crowded?(_owner, _high_water), do: false
end
