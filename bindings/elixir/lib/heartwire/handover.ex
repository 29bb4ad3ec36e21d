defmodule Heartwire.Handover do
  @moduledoc false
  # What a listener has taken for one client and its owner has not: it waits with the client's process,
  # whose mailbox has no limit of its own, so both processes count it.

  alias Heartwire.{Backlog, NIF}

  @deliveries 1
  @bytes 2

  @enforce_keys [:counters, :deliveries_max, :bytes_max]
  defstruct [:counters, :deliveries_max, :bytes_max]

  @type t :: %__MODULE__{
          counters: :counters.counters_ref(),
          deliveries_max: pos_integer,
          bytes_max: pos_integer
        }

  @spec new(pos_integer, pos_integer) :: t
  def new(deliveries_max, bytes_max) do
    counters = :counters.new(2, [])
    %__MODULE__{counters: counters, deliveries_max: deliveries_max, bytes_max: bytes_max}
  end

  @doc "Hands a lot over to the client's process, as `{:arrived, lot}`."
  @spec give(t, pid, [NIF.delivery()]) :: :ok
  def give(handover, client, lot) do
    add(handover, length(lot), Backlog.bytes(lot))
    send(client, {:arrived, lot})
    :ok
  end

  @doc "The client's process holds a lot no longer."
  @spec taken(t, [NIF.delivery()]) :: :ok
  def taken(handover, lot), do: add(handover, -length(lot), -Backlog.bytes(lot))

  @spec full?(t) :: boolean
  def full?(handover) do
    :counters.get(handover.counters, @deliveries) >= handover.deliveries_max or
      :counters.get(handover.counters, @bytes) >= handover.bytes_max
  end

  defp add(handover, deliveries, bytes) do
    :counters.add(handover.counters, @deliveries, deliveries)
    :counters.add(handover.counters, @bytes, bytes)
  end
end
