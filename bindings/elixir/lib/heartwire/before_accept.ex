defmodule Heartwire.BeforeAccept do
  @moduledoc false
  # Who decides whether a client of a listener is let in: nobody, the listener's owner, or a function
  # of the host's, which is asked in a process of its own.

  alias Heartwire.{Error, Event, Handle, NIF, Owner, Question}

  @name "before_accept"

  # The client is not told what is wrong here.
  @failure {:error, 500, ""}

  @gone [
    state: "The client has gone, or was answered.",
    handle: "The client has gone.",
    argument: "A client is refused with a status from 400 to 599, and a text without NUL bytes."
  ]

  @type t :: nil | :owner | Heartwire.Listener.before_accept()

  @spec check(term) :: :ok | {:error, Error.t()}
  def check(decider) when decider in [nil, :owner] or is_function(decider, 2), do: :ok

  def check(other) do
    message =
      "before_accept is :owner or a function of a client and the event :accept_due, not #{inspect(other)}."

    {:error, Error.new(status: :value, layer: :configuration, message: message)}
  end

  @doc "Has the function asked about a client's process, and its answer handed over to that."
  @spec ask(pid, Heartwire.Listener.before_accept(), Event.t()) :: :ok
  def ask(client, function, %Event{kind: :accept_due} = event) do
    ask = fn ->
      answer = function.(client, event)
      unless answer == :later or valid?(answer), do: misunderstood(answer)
      answer
    end

    Question.put(client, @name, event.delay_ms, ask, &decide(&1, client, event))
  end

  @doc "Hands the answer to the question about a client over to the library."
  @spec answer(GenServer.server(), pos_integer, Heartwire.Listener.answer()) ::
          :ok | {:error, Error.t()}
  def answer(client, attempt_id, {:error, status, reason}),
    do: Handle.call(client, &NIF.accept(&1, attempt_id, status, reason), @gone)

  def answer(client, attempt_id, :ok), do: let_in(client, attempt_id, nil)

  def answer(client, attempt_id, {:ok, owner: owner}) do
    with {:ok, owner} <- Owner.find(owner), do: let_in(client, attempt_id, owner)
  end

  # By its process, so that what the client says reaches the owner that it is let in for.
  defp let_in(client, attempt_id, owner) do
    ask = fn _handle ->
      try do
        GenServer.call(client, {:let_in, attempt_id, owner}, :infinity)
      catch
        :exit, _gone -> {:error, %{status: :handle}}
      end
    end

    Handle.call(client, ask, @gone)
  end

  defp valid?(:ok), do: true
  defp valid?({:ok, [owner: _owner]}), do: true
  defp valid?({:error, status, reason}), do: is_integer(status) and is_binary(reason)
  defp valid?(_other), do: false

  defp misunderstood(answer) do
    raise ArgumentError,
          "it must return :ok, {:ok, owner: owner}, {:error, status, reason} or :later, " <>
            "not #{inspect(answer)}"
  end

  defp decide({:ok, :later}, _client, _event), do: :ok

  defp decide({:ok, answer}, client, event) do
    case answer(client, event.attempt_id, answer) do
      # The client has gone, or was answered in another way.
      {:error, %Error{status: status}} when status in [:state, :handle] ->
        :ok

      {:error, %Error{message: message}} ->
        Question.failed(@name, message)
        answer(client, event.attempt_id, @failure)

      :ok ->
        :ok
    end
  end

  defp decide({:error, _text}, client, event), do: answer(client, event.attempt_id, @failure)

  # The library cuts the client off.
  defp decide(:late, _client, event),
    do: Question.failed(@name, "It gave no answer within #{event.delay_ms} ms.")
end
