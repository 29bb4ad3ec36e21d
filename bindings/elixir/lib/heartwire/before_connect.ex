defmodule Heartwire.BeforeConnect do
  @moduledoc """
  A function that is asked before each attempt to connect gives it fresh credentials.

  It is the option `:before_connect` of `Heartwire.start_link/1`, and is called with the event of kind
  `:connect_due`, whose `text` is the URL and `attempt` the number of the attempt:

      before_connect: fn _event ->
        case MyApp.Token.fetch() do
          {:ok, token} -> {:ok, headers: [{"Authorization", "Bearer " <> token}]}
          {:error, reason} -> {:error, "no token: \#{reason}"}
        end
      end

  It returns `:ok` to go on as configured, `{:ok, url: url, headers: headers}`, either of which may
  be left out and holds for this attempt alone, or `{:error, text}`: the attempt fails with the status
  `:before_connect` and this text, and the next one follows as after any failure. A header replaces
  configured ones of its name. The function runs in a process of its own, which is killed when
  `:before_connect_timeout` has passed; if it raises, that is logged and the attempt fails.
  """

  alias Heartwire.{Error, Event, NIF, Options, Question}

  @name "before_connect"

  @doc false
  @spec check(term) :: :ok | {:error, Error.t()}
  def check(function) when is_nil(function) or is_function(function, 1), do: :ok

  def check(other) do
    message = "before_connect is a function of the event :connect_due, not #{inspect(other)}."
    {:error, Error.new(status: :value, layer: :configuration, message: message)}
  end

  # Has the function asked about the attempt of an event, and its answer handed over.
  @doc false
  @spec ask(NIF.connection(), Heartwire.before_connect(), Event.t()) :: :ok
  def ask(handle, function, %Event{kind: :connect_due} = event) do
    ask = fn -> event |> function.() |> understood() end
    Question.put(self(), @name, event.delay_ms, ask, &decide(&1, handle, event.attempt_id))
  end

  defp understood(:ok), do: {nil, []}

  defp understood({:ok, options}) when is_list(options) do
    with true <- Keyword.keyword?(options),
         {:ok, given} <- Keyword.validate(options, url: nil, headers: []),
         true <- is_nil(given[:url]) or is_binary(given[:url]),
         {:ok, headers} <- Options.headers(given[:headers]) do
      {given[:url], headers}
    else
      {:error, %Error{message: message}} -> raise ArgumentError, message
      _ -> misunderstood()
    end
  end

  defp understood({:error, text}) when is_binary(text), do: text
  defp understood(_other), do: misunderstood()

  # What it returned may hold credentials, which stand in no error text.
  defp misunderstood do
    raise ArgumentError,
          "it must return :ok, {:ok, [url: url, headers: headers]} or {:error, text}"
  end

  # The library reports an answer that is late.
  defp decide(:late, _handle, _attempt_id), do: :ok
  defp decide({:error, text}, handle, attempt_id), do: refuse(text, handle, attempt_id)

  defp decide({:ok, text}, handle, attempt_id) when is_binary(text),
    do: refuse(text, handle, attempt_id)

  defp decide({:ok, url_headers}, handle, attempt_id) do
    case NIF.proceed(handle, attempt_id, url_headers) do
      :ok ->
        :ok

      # The attempt is over, or the connection.
      {:error, %{status: status}} when status in [:state, :handle] ->
        :ok

      {:error, fields} ->
        %Error{message: message} = Error.new(fields)
        Question.failed(@name, message)
        refuse(message, handle, attempt_id)
    end
  end

  defp refuse(text, handle, attempt_id),
    do: NIF.proceed(handle, attempt_id, String.replace(text, <<0>>, ""))
end
