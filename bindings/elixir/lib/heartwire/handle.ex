defmodule Heartwire.Handle do
  @moduledoc false
  # Finds the native connection of a process, for whoever calls without waiting for that process.

  alias Heartwire.{Error, NIF}

  @doc """
  What the function answers that is given the handle, a failure as an error: `:handle` if the process
  is gone. `sentences` say by status what a failure means here, where the library's own words do not.
  """
  @spec call(GenServer.server(), (NIF.connection() -> answer), [{atom, String.t()}]) ::
          answer | {:error, Error.t()}
        when answer: term
  def call(connection, function, sentences \\ []),
    do: connection |> find(& &1) |> answer(function, sentences)

  @doc "Does the same with the handle of a listener."
  @spec call_listener(GenServer.server(), (NIF.listener() -> answer), [{atom, String.t()}]) ::
          answer | {:error, Error.t()}
        when answer: term
  def call_listener(listener, function, sentences \\ []) do
    sentences = Keyword.put_new(sentences, :handle, "The listener is gone.")
    listener |> find(&listener_key/1) |> answer(function, sentences)
  end

  @doc "By which key the registry has the handle of a listener's process."
  @spec listener_key(pid) :: term
  def listener_key(pid), do: {Heartwire.Listener, pid}

  defp answer(found, function, sentences) do
    with {:ok, handle} <- found,
         {:error, fields} <- function.(handle) do
      failure(fields, sentences)
    else
      :gone -> failure(%{status: :handle}, sentences)
      result -> result
    end
  end

  # Found out further inside.
  defp failure(%Error{} = error, _sentences), do: {:error, error}

  defp failure(fields, sentences) do
    error = Error.new(fields)
    {:error, %{error | message: Keyword.get(sentences, error.status, error.message)}}
  end

  defp find(server, key) do
    with pid when is_pid(pid) <- GenServer.whereis(server),
         [{^pid, handle}] <- Registry.lookup(Heartwire.Registry, key.(pid)) do
      {:ok, handle}
    else
      _not_here -> :gone
    end
  end
end
