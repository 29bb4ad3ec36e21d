defmodule Heartwire.HealthTest do
  use Heartwire.Case

  alias Heartwire.Health

  test "round trips give quality, health and their events" do
    socket = connect!(url(:ws, "/echo"), ping_interval: "20ms")
    assert %Event{text: ""} = await_event(socket, :engine_started)
    assert %Event{text: "ping", rule: nil} = await_event(socket, :beat_sent)

    assert %Event{text: "ping", latency_ns: round_trip, late: false} =
             await_event(socket, :beat_acked)

    assert round_trip > 0

    assert %Event{level: :healthy, previous_level: :unknown} = await_event(socket, :health)

    assert %Event{level: quality, previous_level: :unknown, latency_ns: mean} =
             await_event(socket, :quality)

    assert quality in [:poor, :fair, :good, :excellent] and mean > 0

    assert {:ok, %Health{} = health} = Heartwire.health(socket)
    assert health.health == :healthy
    assert health.quality in [:poor, :fair, :good, :excellent]
    assert health.round_trips >= 3 and health.beats_acked >= 3
    assert health.round_trip_min_ns in 1..health.round_trip_max_ns
    assert health.failures_in_a_row == 0

    :ok = Heartwire.close(socket)
    assert %Event{} = await_event(socket, :engine_stopped)
  end

  test "answers are measured against the limits" do
    options = [
      response_target: 1,
      response_warning: 1,
      response_critical: 1,
      response_timeout: "1h"
    ]

    rule = ~S({"reply":[{"on":{"eq":"ping"},"send":{"body":"pong"}}]})
    socket = connect!(url(:ws, "/echo"), [rules: [rule]] ++ options)
    :ok = Heartwire.send(socket, {:text, "ping"})

    assert %Event{text: "reply 0", rule: 0, body: "ping", latency_ns: 0} =
             await_event(socket, :heartbeat_received)

    assert %Event{text: "reply 0", rule: 0, latency_ns: latency, level: level} =
             await_event(socket, :heartbeat_responded)

    assert latency > 0
    assert level == if(latency <= 1_000_000, do: :on_target, else: :critical)
    assert {:ok, %Health{responses: 1, responses_total: 1} = health} = Heartwire.health(socket)
    # The window holds microseconds.
    assert health.response_last_ns == latency - rem(latency, 1000)
    assert health.response_max_ns == health.response_last_ns
    assert health.heartbeats_received == 1 and health.heartbeats_answered == 1
  end

  test "silence is told, asked about and ends the connection" do
    {listener, port} = RawServer.listen()
    rule = ~S({"watch":[{"on":{"eq":"alive"},"within":"100ms"}]})
    options = [rules: [rule], ping_interval: 0, ping_timeout: "100ms", reconnect_enabled: false]
    socket = open!("ws://127.0.0.1:#{port}/", options)
    peer = RawServer.accept(listener)
    :ok = :gen_tcp.send(peer, <<0x81, 5, "alive">>)

    assert %Event{text: "watch 0", rule: 0, body: "alive"} =
             await_event(socket, :heartbeat_received)

    assert %Event{text: "watch 0", rule: 0, count: 1} = await_event(socket, :heartbeat_timeout)
    assert {9, _payload} = RawServer.read_frame(peer)
    assert %Event{level: :healthy, previous_level: :unknown} = await_event(socket, :health)
    assert %Event{level: :warning, previous_level: :healthy} = await_event(socket, :health)
    assert {:shutdown, %Error{status: :heartbeat}} = await_exit(socket)
  end

  test "a late acknowledgement is told from one in time" do
    {listener, port} = RawServer.listen()

    rule = ~S({"beat":[{"every":"24h","first":"now","send":{"body":"beat"},
                        "ack":{"on":{"eq":"ack"},"within":"50ms"}}]})

    socket = open!("ws://127.0.0.1:#{port}/", rules: [rule])
    peer = RawServer.accept(listener)
    assert RawServer.read_frame(peer) == {1, "beat"}
    assert %Event{text: "beat 0", body: "beat"} = await_event(socket, :beat_sent)
    assert %Event{text: "beat 0", rule: 0, count: 1} = await_event(socket, :beat_missed)
    :ok = :gen_tcp.send(peer, <<0x81, 3, "ack">>)
    assert %Event{rule: 0, late: true, body: "ack"} = await_event(socket, :beat_acked)
    assert {:ok, %Health{beats_late: 1}} = Heartwire.health(socket)
  end

  test "a service's wish for another connection is handed on" do
    rule = ~S({"reconnect":{"on":[{"has":["/go_to"]}],"url":"/go_to"}})
    socket = connect!(url(:ws, "/echo"), rules: [rule])
    :ok = Heartwire.send(socket, {:text, ~S({"go_to":"wss://example.org/"})})
    assert %Event{text: "wss://example.org/"} = await_event(socket, :reconnect_advised)
    assert Heartwire.state(socket) == :connected
  end

  test "the health of what is gone is a stale handle's" do
    socket = connect!(url(:ws, "/echo"))
    Process.exit(socket, :kill)
    assert await_exit(socket) == :killed
    assert {:error, %Error{status: :handle}} = Heartwire.health(socket)
  end
end
