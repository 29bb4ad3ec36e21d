defmodule Heartwire.PresetTest do
  use Heartwire.Case

  import Heartwire.Asking

  @test_request ~s({"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}})

  defp exchange(options \\ []) do
    setup = ~s("method":"public/set_heartbeat","params":{"interval":#{options[:interval] || 30}})

    asking(
      @test_request,
      ~s("method":"public/test"),
      [after: setup] ++ Keyword.take(options, [:within_ms])
    )
  end

  test "presets are described" do
    presets = Heartwire.presets()
    assert length(presets) > 50
    assert %{rule: rule, services: services, source: source} = find(presets, "deribit")
    assert rule =~ "public/test" and services =~ "Deribit" and source != ""
    assert find(presets, "kucoin").parameters =~ "ping_interval"
  end

  defp find(presets, name), do: Enum.find(presets, &(&1.name == name))

  test "a preset's name keeps a connection alive that is cut without it" do
    socket = connect!(exchange(), preset: "deribit")
    await_answers(socket)
    assert {:ok, %{reconnections: 0}} = Heartwire.metrics(socket)

    with_own_rule = asking(@test_request, "public/test", within_ms: 50)
    socket = connect!(with_own_rule, reconnect_enabled: false)
    assert %Event{close_code: 4008, by_peer: true} = await_event(socket, :closed)
  end

  test "a preset may be an atom, and its parameters a keyword list or a map" do
    for parameters <- [[interval: 45, counter: 1000], %{"interval" => "45"}, "interval=45"] do
      socket = connect!(exchange(interval: 45), preset: :deribit, preset_parameters: parameters)
      await_answers(socket)
    end
  end

  test "answers go out while every scheduler is busy" do
    socket = connect!(exchange(), preset: :deribit)
    await_answers(socket)
    {:ok, %{heartbeats_answered: before}} = Heartwire.health(socket)

    # Processes of high priority leave no scheduler to the connection's process or to this one.
    spinners =
      for _ <- 1..(System.schedulers_online() * 2) do
        :erlang.spawn_opt(fn -> spin_until_answered(socket, before + 30) end, [
          :monitor,
          priority: :high
        ])
      end

    for {pid, monitor} <- spinners do
      assert_receive {:DOWN, ^monitor, :process, ^pid, :normal}, 60_000
    end

    await_answers(socket)
    assert {:ok, %{heartbeats_failed: 0}} = Heartwire.health(socket)
    assert {:ok, %{reconnections: 0}} = Heartwire.metrics(socket)
  end

  defp spin_until_answered(socket, count) do
    {:ok, health} = Heartwire.health(socket)
    if health.heartbeats_answered < count, do: spin_until_answered(socket, count)
  end

  test "rules of one's own answer, and take away what the preset does" do
    rule = ~S({"replace":["setup"],
               "reply":[{"on":{"prefix":"hello "},"take":{"n":{"after":"hello "}},
                         "send":{"body":"yes ${n}"}}]})

    socket = connect!(asking("hello {n}", "yes {n}"), preset: :deribit, rules: [rule])
    await_answers(socket)
  end

  test "rules are iodata, and the first that matches answers" do
    rule = fn body ->
      [~S({"reply":[{"on":{"eq":"ping"},"send":{"body":"), body, ~S("}}]})]
    end

    socket = connect!(asking("ping", "first"), rules: [rule.("first"), rule.("second")])
    await_answers(socket)
  end

  test "nothing is sent to a service that closes on it" do
    socket = connect!(url(:ws, "/echo"), preset: "twitch-eventsub")

    assert {:error, %Error{status: :send_forbidden} = error} =
             Heartwire.send(socket, {:text, "x"})

    assert error.message =~ "closes"
  end

  describe "what is wrong is told at once:" do
    defp refused(options) do
      assert {:error, %Error{layer: :configuration} = error} =
               Heartwire.start_link([url: "ws://localhost/"] ++ options)

      error
    end

    test "an unknown preset, with the nearest name" do
      assert %Error{status: :preset, message: message} = refused(preset: "deribbit")
      assert message =~ "deribit"
    end

    test "a malformed rule, with the place" do
      assert %Error{status: :rule, message: message} =
               refused(rules: [~S({"beat":[{"every":"0s","send":{"body":"x"}}]})])

      assert message =~ "/beat/0/every"
      assert %Error{status: :rule} = refused(rules: ["{"])
    end

    test "rules that are no text" do
      assert %Error{status: :rule} = refused(rules: [%{reply: []}])
      assert %Error{status: :argument} = refused(rules: "{}")
    end

    test "parameters that are missing, unknown or malformed" do
      assert %Error{status: :conflict, message: message} = refused(preset: :kucoin)
      assert message =~ "ping_interval"
      parameters = fn given -> refused(preset: :deribit, preset_parameters: given).status end
      assert parameters.(no_such: 1) == :value
      assert parameters.(interval: "1,counter=2") == :value
      assert parameters.(interval: 1.5) == :value
      assert parameters.(interval: nil) == :value
      assert parameters.(["interval"]) == :value
    end
  end
end
