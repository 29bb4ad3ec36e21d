defmodule Heartwire.Error do
  @moduledoc """
  Why a call or a connection failed.

  `status` is the library's status in lower case: `:url` for `HW_E_URL`, `:certificate` for
  `HW_E_CERTIFICATE`. `layer` says where the error arose. `native_code` is an errno, a resolver's
  code or OpenSSL's verification result; `http_status` and `close_code` are 0 if there is none.
  `retryable` says whether the same may succeed later.
  """

  @type t :: %__MODULE__{
          status: atom,
          layer: atom,
          native_code: integer,
          http_status: integer,
          close_code: integer,
          retryable: boolean,
          message: String.t()
        }

  @fields [
    status: :unknown,
    layer: :none,
    native_code: 0,
    http_status: 0,
    close_code: 0,
    retryable: false,
    message: ""
  ]

  defexception @fields

  # The statuses that the library gives without a sentence.
  @sentences %{
    argument: "An argument is out of its range.",
    handle: "The connection is gone.",
    state: "The connection is closing, disconnected or failed.",
    send_forbidden: "The heartbeat rules say that this service closes on anything sent to it.",
    not_connected: "There is no connection that takes the message now, so it was not sent.",
    range: "No message has this id, or it is too long ago.",
    full: "The outbound queue is full; an event of kind :writable will follow.",
    too_large: "The message can never fit into the outbound queue.",
    utf8: "The text is not UTF-8."
  }

  @doc false
  @spec new(map | keyword) :: t
  def new(fields) do
    error = struct!(__MODULE__, fields)

    case error do
      %{message: ""} -> %{error | message: Map.get(@sentences, error.status, default(error))}
      _ -> error
    end
  end

  @doc false
  @spec from_event(Heartwire.Event.t()) :: t
  def from_event(%Heartwire.Event{} = event) do
    event
    |> Map.take(Keyword.keys(@fields))
    |> Map.put(:message, event.text)
    |> new()
  end

  defp default(error), do: "The library answered #{error.status}."
end
