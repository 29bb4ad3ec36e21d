defmodule Heartwire.BeforeConnectTest do
  use Heartwire.Case

  import ExUnit.CaptureLog

  defp authorization(head) do
    [_all, value] = Regex.run(~r/authorization: (\S+)/i, head)
    value
  end

  test "every attempt has a token of its own" do
    {listener, port} = RawServer.listen()
    tokens = :counters.new(1, [])

    socket =
      open!("ws://127.0.0.1:#{port}/",
        headers: [{"Authorization", "stale"}],
        before_connect: fn %Event{kind: :connect_due} ->
          :counters.add(tokens, 1, 1)
          {:ok, headers: [{"authorization", "token-#{:counters.get(tokens, 1)}"}]}
        end
      )

    for n <- 1..3 do
      {peer, head} = RawServer.accept_with_head(listener)
      assert authorization(head) == "token-#{n}"
      assert %Event{epoch: ^n} = await_event(socket, :opened)
      :gen_tcp.close(peer)
    end
  end

  test "an attempt can go elsewhere, and be told apart" do
    test = self()
    target = url(:ws, "/echo")

    before_connect = fn event ->
      send(test, {:asked, event})
      {:ok, url: target}
    end

    socket = connect!(url(:refused, "/somewhere"), before_connect: before_connect)
    assert_received {:asked, %Event{attempt: 1, attempt_id: id, delay_ms: delay, text: text}}
    assert text == url(:refused, "/somewhere")
    assert id > 0 and delay > 0
    assert %Event{attempt_id: ^id} = await_event(socket, :connect_due)
    :ok = Heartwire.send(socket, {:text, "hello"})
    assert await_message(socket) == {:text, "hello"}
  end

  test "an attempt can go on as configured" do
    connect!(url(:ws, "/echo"), before_connect: fn _event -> :ok end)
  end

  test "an attempt that is refused fails with the reason, and the next one follows" do
    before_connect = fn event -> if event.attempt == 1, do: {:error, "no token\0"}, else: :ok end
    socket = open!(url(:ws, "/echo"), before_connect: before_connect)
    failed = await_event(socket, :attempt_failed)
    assert %Event{status: :before_connect, attempt: 1} = failed
    assert failed.text =~ "no token"
    await_state(socket, :connected)
  end

  for {name, code, expected} <- [
        {"raises", quote(do: raise("broken")), "broken"},
        {"throws", quote(do: throw(:broken)), "broken"},
        {"exits", quote(do: exit(:broken)), "broken"},
        {"is killed", quote(do: Process.exit(self(), :kill)), "killed"},
        {"returns something else", quote(do: :token), "must return"},
        {"returns other options", quote(do: {:ok, token: "x"}), "must return"},
        {"returns no options", quote(do: {:ok, [:url]}), "must return"},
        {"returns what is no URL", quote(do: {:ok, url: :nowhere}), "must return"},
        {"returns a malformed URL", quote(do: {:ok, url: "http://localhost/"}), "ws"},
        {"returns a URL with a NUL byte", quote(do: {:ok, url: "ws://a\0b/"}), "NUL"},
        {"returns no header fields", quote(do: {:ok, headers: "a: b"}), "list"},
        {"returns no header field", quote(do: {:ok, headers: [a: 1]}), "header"},
        {"returns a bad header field", quote(do: {:ok, headers: [{"Host", "x"}]}), "Host"},
        {"returns a NUL byte", quote(do: {:ok, headers: [{"a", "\0"}]}), "NUL"},
        {"returns too many", quote(do: {:ok, headers: List.duplicate({"a", "b"}, 300)}), "many"}
      ] do
    test "a function that #{name} is logged, and asked again" do
      before_connect = fn event ->
        if event.attempt == 1, do: unquote(code), else: :ok
      end

      log =
        capture_log(fn ->
          socket = open!(url(:ws, "/echo"), before_connect: before_connect)
          failed = await_event(socket, :attempt_failed)
          assert %Event{status: :before_connect} = failed
          assert failed.text =~ unquote(expected)
          await_state(socket, :connected)
        end)

      assert log =~ "before_connect"
    end
  end

  test "what it returns stands in no error text" do
    answers = [
      {:ok, [{"Authorization", "hunter2"}]},
      {:ok, headers: [{"Authorization", ["hunter2"]}]},
      {:ok, headers: [["Authorization", "hunter2"]]},
      {:ok, headers: "Authorization: hunter2"},
      {:ok, headers: [{"Authorization", "hunter2\n"}]},
      {:ok, url: "ws://user:hunter2@local host/"},
      {:hunter2, "hunter2"}
    ]

    log =
      capture_log(fn ->
        before_connect = &Enum.at(answers, &1.attempt - 1, :ok)
        options = [before_connect: before_connect, reconnect_base: 1]
        socket = open!(url(:ws, "/echo"), options)

        for _answer <- answers do
          assert %Event{status: :before_connect} = event = await_event(socket, :attempt_failed)
          refute inspect(event) =~ "hunter2"
        end

        await_state(socket, :connected)
      end)

    refute log =~ "hunter2"
  end

  test "a function that does not answer in time is ended" do
    test = self()

    before_connect = fn event ->
      send(test, {:asked, self()})
      if event.attempt == 1, do: Process.sleep(:infinity), else: :ok
    end

    options = [before_connect: before_connect, before_connect_timeout: 50]
    socket = open!(url(:ws, "/echo"), options)
    assert_receive {:asked, pid}, 20_000
    monitor = Process.monitor(pid)
    assert %Event{status: :before_connect} = await_event(socket, :attempt_failed)
    assert_receive {:DOWN, ^monitor, :process, ^pid, _reason}, 20_000
    await_state(socket, :connected)
  end

  test "a function ends with the connection" do
    test = self()

    before_connect = fn _event ->
      send(test, {:asked, self()})
      Process.sleep(:infinity)
    end

    options = [before_connect: before_connect, before_connect_timeout: "1h"]
    socket = open!(url(:ws, "/echo"), options)
    assert_receive {:asked, pid}, 20_000
    monitor = Process.monitor(pid)
    Process.exit(socket, :kill)
    assert_receive {:DOWN, ^monitor, :process, ^pid, _reason}, 20_000
  end

  test "an owner that does not read delays no attempt" do
    {listener, port} = RawServer.listen()
    owner = spawn_link(fn -> Process.sleep(:infinity) end)

    open!("ws://127.0.0.1:#{port}/",
      owner: owner,
      owner_queue_max: 1,
      before_connect: fn _event -> :ok end
    )

    for _ <- 1..5, do: listener |> RawServer.accept() |> :gen_tcp.close()
  end

  test "what is no function of an event is refused" do
    for before_connect <- [:ok, fn -> :ok end, fn _a, _b -> :ok end, {Heartwire, :send}] do
      assert {:error, %Error{status: :value, message: message}} =
               Heartwire.start_link(url: "ws://localhost/", before_connect: before_connect)

      assert message =~ "before_connect"
    end
  end
end
