defmodule Heartwire.Event do
  @moduledoc """
  Something that happened to a connection.

  `kind` says what it is and which other fields mean something; the rest are 0, false, `nil` or empty.

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
    * `:writable` - the outbound queue has room again after a send failed with `:full`
    * `:slow_consumer` - the inbox reached its limit: `count` is 0 when reading paused, else the
      number of messages dropped
    * `:warning` - `text` says what is insecure or missing though it was asked for

  ## Heartbeats

  `text` names what they belong to (`"ping"`, `"reply 0"`, `"beat 1"`, `"watch 0"`, `"detector"`),
  `rule` is its number among the rules of its kind, `nil` if it is none, and `body` holds the
  evidence: the first bytes, at most 128, of the message.

    * `:engine_started`, `:engine_stopped` - the heartbeats of a connection begin and end; `text`
      is the preset's name
    * `:heartbeat_received` - the server's: a ping, a request that is answered, or what a watch
      expects
    * `:heartbeat_responded` - our answer was handed to the kernel `latency_ns` after its request
      had arrived; `level` says what that means, as for `:response_level`
    * `:heartbeat_timeout` - what a watch expects did not come for `count` intervals
    * `:heartbeat_failure` - an answer was late, or could not be made or written, or the detector
      failed: `text` says which; `count` in a row
    * `:beat_sent` - a ping or beat of ours was handed to the kernel
    * `:beat_acked` - it was acknowledged: `latency_ns` is the round trip; `late` if it had been
      missed
    * `:beat_missed` - a ping or beat of ours was not acknowledged in time: `count` in a row
    * `:health` - `level` and `previous_level` are of `t:health/0`
    * `:quality` - `level` and `previous_level` are of `t:quality/0`; `latency_ns` is the mean round
      trip
    * `:response_level` - an answer crossed a limit: `level` and `previous_level` are of
      `t:response_level/0`; `latency_ns`
    * `:reconnect_advised` - the service asks for a new connection, or this one has reached the age
      that it allows; `text` is the URL to go to, if the service named one. Nothing is done by itself

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
          | :heartbeat_received
          | :heartbeat_responded
          | :heartbeat_timeout
          | :heartbeat_failure
          | :beat_sent
          | :beat_acked
          | :engine_started
          | :engine_stopped
          | :health
          | :quality
          | :response_level
          | :reconnect_advised
          | :unknown

  @typedoc "Whether what is expected from the server comes."
  @type health :: :unknown | :error | :warning | :healthy

  @typedoc "What the last round trips say; `:unknown` with fewer than three."
  @type quality :: :unknown | :poor | :fair | :good | :excellent

  @typedoc "How long an answer to the server took; `:overdue` counts as a failure."
  @type response_level :: :on_target | :slow | :warning | :critical | :overdue | :unknown

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
          retry_after_ms: non_neg_integer,
          latency_ns: non_neg_integer,
          level: health | quality | response_level | nil,
          previous_level: health | quality | response_level | nil,
          late: boolean,
          rule: non_neg_integer | nil
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
            retry_after_ms: 0,
            latency_ns: 0,
            level: nil,
            previous_level: nil,
            late: false,
            rule: nil
end
