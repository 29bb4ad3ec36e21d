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
      number of messages dropped, or left out of what a listener's client said last
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
      that it allows; `text` is the URL to go to, if the service named one. What follows is
      `:rotate_on_notice`'s to say

  ## The connection's life

    * `:gap` - connected again after a loss, the opening script done: `began_ns` and `latency_ns`,
      how long; `last_message_ns`, when the last message before it was received, 0 if none was;
      `count` of own messages whose arrival at the server is in doubt: they are not sent again. The
      others have reached the server's WebSocket layer; whether its application has worked on them
      only an answer of its own can tell
    * `:rotation` - `level`, of `t:rotation/0`; `epoch` of the connection it speaks of; on `:failed`
      also the reason as above
    * `:circuit` - attempts to a host have failed too often, or may be made again: `level` and
      `previous_level` are of `t:circuit/0`; `text` is the host and port, `delay_ms` how long the
      circuit stays open
    * `:attempt_held` - the next attempt is held back for `delay_ms`; `level` says by what: the open
      `:circuit`, or the host's `:budget` (`:attempts_per_minute_max`)
    * `:connect_due` - the function `:before_connect` is asked: `attempt`, `attempt_id`, `text` is
      the URL, `delay_ms` until the answer is too late
    * `:outcome` - `count` messages, the first of them `message_id`, in unbroken order, came to an
      outcome: `level`, of `t:outcome/0`; `:sent` only if it was to be reported. `:pending` says that
      too many events waited to tell of each, and that some of these messages, to be asked about with
      `Heartwire.outcome/2`, have come to outcomes

  ## A listener's clients

    * `:accept_due` - a client asks for a connection, and somebody for whether it is let in
      (`:before_accept`): `text` is path and query, `headers/1` gives the header fields, `delay_ms`
      until the answer is too late

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
          | :gap
          | :rotation
          | :circuit
          | :outcome
          | :connect_due
          | :attempt_held
          | :accept_due
          | :unknown

  @typedoc "Whether what is expected from the server comes."
  @type health :: :unknown | :error | :warning | :healthy

  @typedoc "What the last round trips say; `:unknown` with fewer than three."
  @type quality :: :unknown | :poor | :fair | :good | :excellent

  @typedoc "How long an answer to the server took; `:overdue` counts as a failure."
  @type response_level :: :on_target | :slow | :warning | :critical | :overdue | :unknown

  @typedoc """
  How far a rotation is: the new connection is being opened; what is sent goes by it; the old one is
  closed. `:failed`: the old one stays, and another try follows.
  """
  @type rotation :: :started | :switched | :finished | :failed | :unknown

  @typedoc "Whether attempts to a host are made; `:half_open` lets one connection try for all."
  @type circuit :: :closed | :open | :half_open | :unknown

  @typedoc """
  What became of a message. `:pending`: it waits, or is being written; `:sent`: the kernel has all
  its bytes; `:expired`: its time to live ran out; `:dropped`: it gave way to a newer one
  (`:queue_overflow`), or was to be sent now and the connection broke; `:cancelled`: taken back, or
  the connection ended for good.
  """
  @type outcome :: :pending | :sent | :expired | :dropped | :cancelled | :unknown

  @typedoc "What the kinds of events mean by a level."
  @type level ::
          health
          | quality
          | response_level
          | rotation
          | circuit
          | outcome
          | :circuit
          | :budget
          | nil

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
          level: level,
          previous_level: health | quality | response_level | circuit | nil,
          late: boolean,
          rule: non_neg_integer | nil,
          message_id: non_neg_integer,
          attempt_id: non_neg_integer,
          began_ns: non_neg_integer,
          last_message_ns: non_neg_integer
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
            rule: nil,
            message_id: 0,
            attempt_id: 0,
            began_ns: 0,
            last_message_ns: 0

  @doc """
  The header fields of the request that an event of kind `:accept_due` tells of, with their names in
  lower case.
  """
  @spec headers(t) :: [{name :: String.t(), value :: String.t()}]
  def headers(%__MODULE__{kind: :accept_due, body: body}) do
    for line <- String.split(body, "\r\n", trim: true) do
      [name, value] = String.split(line, ":", parts: 2)
      {String.downcase(name, :ascii), String.trim(value)}
    end
  end
end
