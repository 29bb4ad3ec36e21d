defmodule Heartwire.HeartbeatTest do
  use Heartwire.Case

  @pongs 20

  test "the server's pings are answered while every scheduler is busy" do
    socket = connect!(url(:ws, "/ping?interval_ms=20"))
    {:ok, %{pongs_sent: before}} = Heartwire.metrics(socket)

    # Processes of high priority leave no scheduler to the connection's process or to this one.
    spinners =
      for _ <- 1..(System.schedulers_online() * 2) do
        :erlang.spawn_opt(fn -> spin_until_answered(socket, before + @pongs) end, [
          :monitor,
          priority: :high
        ])
      end

    for {pid, monitor} <- spinners do
      assert_receive {:DOWN, ^monitor, :process, ^pid, :normal}, 60_000
    end

    assert :ok = Heartwire.send(socket, {:text, "count"})
    {:text, json} = await_message(socket)
    [_all, pongs] = Regex.run(~r/"pongs":\s*(\d+)/, json)
    assert String.to_integer(pongs) >= @pongs
    assert {:ok, %{reconnections: 0}} = Heartwire.metrics(socket)
  end

  defp spin_until_answered(socket, pongs) do
    {:ok, metrics} = Heartwire.metrics(socket)
    if metrics.pongs_sent < pongs, do: spin_until_answered(socket, pongs)
  end

  test "pings of its own are answered and measured" do
    socket = connect!(url(:wss, "/echo"), ping_interval: 100)

    eventually(fn ->
      {:ok, metrics} = Heartwire.metrics(socket)
      metrics.pongs_received >= 2 and metrics.rtt_last_ns > 0 and metrics.rtt_mean_ns > 0
    end)
  end

  test "a server that is silent is found out and left" do
    options = [ping_interval: "100ms", ping_timeout: "100ms", reconnect_enabled: false]
    socket = connect!(url(:raw, "/silent"), options)
    assert %Event{count: 1} = await_event(socket, :beat_missed)
    assert {:shutdown, %Error{status: :heartbeat}} = await_exit(socket)
  end

  test "payload beats are sent" do
    {listener, port} = RawServer.listen()
    _socket = open!("ws://127.0.0.1:#{port}/", heartbeat_interval: 100, heartbeat_text: "beat")
    peer = RawServer.accept(listener)
    assert RawServer.read_frame(peer) == {1, "beat"}
    assert RawServer.read_frame(peer) == {1, "beat"}
  end

  test "payload beats may be any bytes" do
    {listener, port} = RawServer.listen()
    beat = <<0, "beat", 255>>
    _socket = open!("ws://127.0.0.1:#{port}/", heartbeat_interval: 100, heartbeat_binary: beat)
    peer = RawServer.accept(listener)
    assert RawServer.read_frame(peer) == {2, beat}
  end
end
