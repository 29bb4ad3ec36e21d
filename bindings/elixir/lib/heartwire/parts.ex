defmodule Heartwire.Parts do
  @moduledoc false
  # Sends a message in parts. Whatever is sent after it waits for its end, so a message that is not
  # brought there takes the connection with it.

  alias Heartwire.NIF

  @internal_error 1011

  # In the place of a number while the first part is handed over.
  @beginning -1

  @doc "Answers with the message's number, 0 if there was no part and so no message."
  @spec send(pid, NIF.connection(), NIF.kind(), Enumerable.t(), [NIF.flag()], non_neg_integer) ::
          {:ok, non_neg_integer} | NIF.error()
  def send(connection, handle, kind, parts, flags, ttl) do
    # The number of the unfinished message, 0 if there is none, for two processes to see.
    number = :atomics.new(1, [])

    message = %{
      connection: connection,
      handle: handle,
      kind: kind,
      flags: flags,
      ttl: ttl,
      number: number
    }

    guard = guard(message)

    try do
      send_all(message, parts)
    after
      abandon(message)
      Process.exit(guard, :kill)
    end
  end

  defp send_all(message, parts) do
    with {:ok, number} <- Enum.reduce_while(parts, {:ok, 0}, &send_next(message, &1, &2)),
         do: finish(message, number)
  end

  defp send_next(message, part, {:ok, _number}) do
    case hand_over(message, IO.iodata_to_binary(part), false) do
      {:ok, number} -> {if(unfinished(message) == 0, do: :halt, else: :cont), {:ok, number}}
      error -> {:halt, error}
    end
  end

  # An enumerable tells too late which of its parts is the last, so an empty one ends the message.
  defp finish(message, number) do
    if unfinished(message) == 0, do: {:ok, number}, else: hand_over(message, "", true)
  end

  defp hand_over(message, data, is_last) do
    case try_to(message, data, is_last) do
      {:error, %{status: :full}} -> hand_over_with_room(message, data, is_last)
      result -> result
    end
  end

  # The connection's process tells when there may be room. It is asked to before the next try, so that
  # it does not see the event that tells of room too early.
  defp hand_over_with_room(message, data, is_last) do
    monitor = Process.monitor(message.connection)
    send(message.connection, {:tell_room, self(), monitor})
    told = await(monitor, :noted)
    result = try_to(message, data, is_last)
    full? = match?({:error, %{status: :full}}, result)
    if full? and told == :ok, do: await(monitor, :room)
    forget(monitor)
    if full?, do: hand_over(message, data, is_last), else: result
  end

  defp await(monitor, what) do
    receive do
      {^monitor, ^what} -> :ok
      {:DOWN, ^monitor, :process, _pid, _reason} -> :gone
    end
  end

  defp forget(monitor) do
    Process.demonitor(monitor, [:flush])

    receive do
      {^monitor, :room} -> :ok
    after
      0 -> :ok
    end
  end

  defp try_to(message, data, is_last) do
    number = unfinished(message)
    # Set before the call: a process that is killed inside cannot tell any more what came of it.
    if number == 0, do: :atomics.put(message.number, 1, @beginning)

    flags = if is_last, do: message.flags, else: [:more | message.flags]

    case NIF.send_with(message.handle, message.kind, data, number, flags, message.ttl) do
      {:ok, number} = sent ->
        :atomics.put(message.number, 1, if(is_last, do: 0, else: number))
        sent

      {:error, %{status: status}} = error ->
        :atomics.put(message.number, 1, number)

        if status == :argument and settled?(message, number) do
          :atomics.put(message.number, 1, 0)
          {:ok, number}
        else
          error
        end
    end
  end

  # True for a message that expired or was cancelled meanwhile: no further part of it is taken.
  defp settled?(message, number),
    do: match?({:ok, outcome} when outcome != :pending, NIF.outcome(message.handle, number))

  # A process that is killed cannot tidy up.
  defp guard(message) do
    caller = self()

    spawn(fn ->
      monitor = Process.monitor(caller)

      receive do
        {:DOWN, ^monitor, :process, ^caller, _reason} -> abandon(message)
      end
    end)
  end

  defp abandon(message) do
    if unfinished(message) != 0,
      do: NIF.close(message.handle, @internal_error, "error in fragmented message")
  end

  defp unfinished(message), do: :atomics.get(message.number, 1)
end
