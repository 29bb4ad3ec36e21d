defmodule Heartwire.Backlog do
  @moduledoc false
  # What was taken from the inbox and waits for its owner, in order and in the lots in which it came.
  # For what the host's functions see while the owner's queue is full the limits are the defaults of
  # the inbox.

  alias Heartwire.NIF

  @messages_max 65_536
  @bytes_max 16 * 1024 * 1024

  defstruct lots: :queue.new(), messages: 0, bytes: 0

  @opaque t :: %__MODULE__{
            lots: :queue.queue([NIF.delivery()]),
            messages: non_neg_integer,
            bytes: non_neg_integer
          }

  @spec empty?(t) :: boolean
  def empty?(backlog), do: :queue.is_empty(backlog.lots)

  @spec full?(t) :: boolean
  def full?(backlog), do: backlog.messages >= @messages_max or backlog.bytes >= @bytes_max

  @spec add(t, [NIF.delivery()]) :: t
  def add(backlog, lot) do
    %__MODULE__{
      lots: :queue.in(lot, backlog.lots),
      messages: backlog.messages + length(lot),
      bytes: backlog.bytes + bytes(lot)
    }
  end

  @doc "Takes the oldest lot out of a backlog that is not empty."
  @spec take(t) :: {[NIF.delivery()], t}
  def take(backlog) do
    {{:value, lot}, lots} = :queue.out(backlog.lots)
    messages = backlog.messages - length(lot)
    {lot, %__MODULE__{lots: lots, messages: messages, bytes: backlog.bytes - bytes(lot)}}
  end

  @doc "The bytes of a lot's messages."
  @spec bytes([NIF.delivery()]) :: non_neg_integer
  def bytes(lot) do
    for {message, _received_ns, _epoch} <- lot,
        reduce: 0,
        do: (sum -> sum + byte_size(elem(message, 1)))
  end
end
