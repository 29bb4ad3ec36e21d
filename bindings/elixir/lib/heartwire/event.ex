defmodule Heartwire.Event do
  @moduledoc """
  Something that happened to a connection.

  `kind` says what it is and which other fields mean something; the rest are 0, false or empty.

    * `:state` - the state changed: `state`, `previous_state`; on `:reconnecting` and `:failed`
      also the reason: `status`, `layer`, `native_code`, `http_status`, `close_code`, `retryable`
      and `text`
    * `:opened` - the opening handshake is done: `epoch`; `text` is the agreed subprotocol;
      `resumed` if TLS resumed the session of the last connection
    * `:closed` - an established connection ended: `epoch`, `status`, `close_code` (1005 none
      given, 1006 no close frame), `by_peer`; `text` is the close reason or what happened
    * `:attempt_failed` - `attempt`, `delay_ms` until the next (0: there is none), and the reason
      as above; when the server refused with an HTTP status, `body` holds the first bytes of its
      answer, and `retry_after_ms` how long it asks to be left alone, 0 if it does not
    * `:beat_missed` - a ping went unanswered: `count` in a row
    * `:warning` - `text` says what is insecure or missing though it was asked for
    * `:writable` - the outbound queue has room again after a send failed with `:full`
    * `:slow_consumer` - the inbox reached its limit: `count` is 0 when reading paused, else the
      number of messages dropped
    * `:warning` - `text` says what is insecure though it was asked for

  `epoch` counts the established connections from 1. `time_ns` is a monotonic reading.
  """

  @type state ::
          :disconnected | :connecting | :connected | :reconnecting | :closing | :failed | :unknown

  @type kind ::
          :state
          | :opened
          | :closed
          | :attempt_failed
          | :beat_missed
          | :writable
          | :slow_consumer
          | :released
          | :warning
          | :unknown

  @type t :: %__MODULE__{
          kind: kind,
          time_ns: non_neg_integer,
          epoch: non_neg_integer,
          state: state,
          previous_state: state,
          status: atom,
          layer: atom,
          native_code: integer,
          http_status: integer,
          close_code: integer,
          retryable: boolean,
          by_peer: boolean,
          attempt: non_neg_integer,
          delay_ms: non_neg_integer,
          count: non_neg_integer,
          text: binary,
          body: binary,
          compressed: boolean,
          resumed: boolean,
          retry_after_ms: non_neg_integer
        }

  @enforce_keys [:kind]
  defstruct kind: nil,
            time_ns: 0,
            epoch: 0,
            state: :disconnected,
            previous_state: :disconnected,
            status: :ok,
            layer: :none,
            native_code: 0,
            http_status: 0,
            close_code: 0,
            retryable: false,
            by_peer: false,
            attempt: 0,
            delay_ms: 0,
            count: 0,
            text: "",
            body: "",
            compressed: false,
            resumed: false,
            retry_after_ms: 0
end
