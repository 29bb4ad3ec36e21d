defmodule Heartwire.Health do
  @moduledoc """
  How the heartbeats of a connection stand, as `Heartwire.health/1` finds them.

  Times are in nanoseconds and of the present connection, unless it says otherwise.

    * `health`, `quality` - what the last events of these kinds said
    * `response_level` - of the last answer to the server
    * `failures_in_a_row` - missed beats and failed answers; `:heartbeat_failure_threshold` ends
      the connection
    * `responses` - how many answers the window of the last 100 holds; `response_last_ns`,
      `response_min_ns`, `response_mean_ns`, `response_median_ns`, `response_p99_ns` and
      `response_max_ns` are of that window
    * `responses_total` - all since the connection was opened; `responses_median_ns`,
      `responses_p99_ns`, `responses_p999_ns` and `responses_max_ns` are of all, within 12.5 %
    * `round_trips` - how many the window of the last 16 holds; `round_trip_last_ns`,
      `round_trip_mean_ns`, `round_trip_min_ns` and `round_trip_max_ns`, and
      `round_trip_variance_ms2` in square milliseconds
    * `timestamps` - server timestamps seen; `one_way_raw_ns` is the wall clock at arrival less the
      last of them, `clock_offset_ns` how far our clock runs ahead of the server's by the round
      trips, `one_way_ns` the difference
    * `silent_ns` - since the last byte arrived
    * `data_silent_ns` - since a watch or stamp last saw what it expects
    * `heartbeats_received`, `heartbeats_answered`, `heartbeats_failed`, `beats_acked`,
      `beats_late` - since the connection was opened
    * `ping_interval_ns` - between the last ping and the next; 0 if none are sent
  """

  alias Heartwire.Event

  @type t :: %__MODULE__{
          health: Event.health(),
          quality: Event.quality(),
          response_level: Event.response_level(),
          failures_in_a_row: non_neg_integer,
          responses: non_neg_integer,
          response_last_ns: non_neg_integer,
          response_min_ns: non_neg_integer,
          response_mean_ns: non_neg_integer,
          response_median_ns: non_neg_integer,
          response_p99_ns: non_neg_integer,
          response_max_ns: non_neg_integer,
          responses_total: non_neg_integer,
          responses_median_ns: non_neg_integer,
          responses_p99_ns: non_neg_integer,
          responses_p999_ns: non_neg_integer,
          responses_max_ns: non_neg_integer,
          round_trips: non_neg_integer,
          round_trip_variance_ms2: non_neg_integer,
          round_trip_last_ns: non_neg_integer,
          round_trip_mean_ns: non_neg_integer,
          round_trip_min_ns: non_neg_integer,
          round_trip_max_ns: non_neg_integer,
          timestamps: non_neg_integer,
          one_way_raw_ns: integer,
          one_way_ns: integer,
          clock_offset_ns: integer,
          silent_ns: non_neg_integer,
          data_silent_ns: non_neg_integer,
          heartbeats_received: non_neg_integer,
          heartbeats_answered: non_neg_integer,
          heartbeats_failed: non_neg_integer,
          beats_acked: non_neg_integer,
          beats_late: non_neg_integer,
          ping_interval_ns: non_neg_integer
        }

  defstruct health: :unknown,
            quality: :unknown,
            response_level: :on_target,
            failures_in_a_row: 0,
            responses: 0,
            response_last_ns: 0,
            response_min_ns: 0,
            response_mean_ns: 0,
            response_median_ns: 0,
            response_p99_ns: 0,
            response_max_ns: 0,
            responses_total: 0,
            responses_median_ns: 0,
            responses_p99_ns: 0,
            responses_p999_ns: 0,
            responses_max_ns: 0,
            round_trips: 0,
            round_trip_variance_ms2: 0,
            round_trip_last_ns: 0,
            round_trip_mean_ns: 0,
            round_trip_min_ns: 0,
            round_trip_max_ns: 0,
            timestamps: 0,
            one_way_raw_ns: 0,
            one_way_ns: 0,
            clock_offset_ns: 0,
            silent_ns: 0,
            data_silent_ns: 0,
            heartbeats_received: 0,
            heartbeats_answered: 0,
            heartbeats_failed: 0,
            beats_acked: 0,
            beats_late: 0,
            ping_interval_ns: 0
end
