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
  def call(connection, function, sentences \\ []) do
    with {:ok, handle} <- find(GenServer.whereis(connection)),
         {:error, fields} <- function.(handle) do
      error = Error.new(fields)
      {:error, %{error | message: Keyword.get(sentences, error.status, error.message)}}
    else
      :gone -> {:error, Error.new(status: :handle)}
      result -> result
    end
  end

  defp find(pid) when is_pid(pid) do
    case Registry.lookup(Heartwire.Registry, pid) do
      [{^pid, handle}] -> {:ok, handle}
      [] -> :gone
    end
  end

  defp find(_not_here), do: :gone
end
