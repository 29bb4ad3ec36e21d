defmodule Heartwire.Asking do
  @moduledoc "The path of the servers that asks for signs of life and cuts the line without them."

  import Heartwire.Case

  @doc "The address that asks `ask`, where {n} is the question's number, and wants `answer`."
  def asking(ask, answer, options \\ []) do
    defaults = [interval_ms: 10, within_ms: 10_000]
    query = defaults |> Keyword.merge(options) |> Keyword.merge(ask: ask, answer: answer)
    url(:ws, "/ask?" <> URI.encode_query(query))
  end

  @doc "Waits until the server has got more answers than it had when this was called."
  def await_answers(socket, more \\ 3) do
    before = answered(socket)
    eventually(fn -> answered(socket) >= before + more end)
  end

  @doc "How many answers the server has got, by its own count."
  def answered(socket) do
    :ok = Heartwire.send(socket, {:text, "count"})
    await_count(socket)
  end

  # The questions reach the owner as well.
  defp await_count(socket) do
    {_kind, data} = await_message(socket)

    case Regex.run(~r/^{"asked": \d+, "answered": (\d+)}$/, data) do
      [_all, count] -> String.to_integer(count)
      nil -> await_count(socket)
    end
  end
end
