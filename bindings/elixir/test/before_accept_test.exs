defmodule Heartwire.BeforeAcceptTest do
  use Heartwire.Case

  import ExUnit.CaptureLog

  # What a client that asks is answered: the status and the rest.
  defp answer(port, headers \\ []) do
    socket = RawClient.ask(port, headers)
    "HTTP/1.1 " <> <<status::binary-3>> <> rest = RawClient.read_head(socket)
    {status, rest, socket}
  end

  defp await_exit_of(pid) do
    monitor = Process.monitor(pid)
    assert_receive {:DOWN, ^monitor, :process, ^pid, _reason}, 20_000
  end

  test "the function sees who asks, and its owner too" do
    test = self()

    let_in = fn client, event ->
      send(test, {:asked, client, event})
      :ok
    end

    {listener, port, _url} = listen!(before_accept: let_in)

    headers = [
      {"X-Token", "secret"},
      {"x-empty", ""},
      {"X-Colons", "a:b: c"},
      {"X-Latin", <<0xE9>>}
    ]

    socket = RawClient.connect(port, headers)
    assert_receive {:asked, client, %Event{kind: :accept_due, attempt_id: id} = event}, 20_000
    assert event.text == "/chat?room=1"
    assert event.delay_ms > 0
    fields = Event.headers(event)
    assert {"host", "h"} in fields
    assert {"x-token", "secret"} in fields
    assert {"x-empty", ""} in fields
    assert {"x-colons", "a:b: c"} in fields
    assert {"x-latin", <<0xE9>>} in fields

    assert await_client(listener) == client
    assert %Event{attempt_id: ^id} = await_event(client, :accept_due)
    await_event(client, :opened)
    :ok = RawClient.send_text(socket, "hello")
    assert await_message(client) == {:text, "hello"}
  end

  test "a client can be let in for another process, which hears of it first" do
    test = self()

    let_in = fn _client, _event ->
      {:ok, owner: spawn_link(fn -> tell(test) end)}
    end

    {listener, port, _url} = listen!(before_accept: let_in)
    socket = RawClient.connect(port)
    :ok = RawClient.send_text(socket, "hello")
    assert_receive {:told, {:heartwire, ^listener, {:client, client}}}, 20_000

    for kind <- [:accept_due, :opened],
        do: assert_receive({:told, {:heartwire, ^client, {:event, %Event{kind: ^kind}}}}, 20_000)

    assert_receive {:told, {:heartwire, ^client, {:text, "hello"}}}, 20_000
    refute_received {:heartwire, _pid, _anything}
  end

  defp tell(test) do
    receive do: (message -> send(test, {:told, message}))
    tell(test)
  end

  test "a client that is turned away is told why, and is nobody's" do
    test = self()

    turn_away = fn client, _event ->
      send(test, {:asked, client})
      {:error, 403, "not you, grüße"}
    end

    {listener, port, _url} = listen!(before_accept: turn_away)
    assert {"403", _head, socket} = answer(port)
    assert {:ok, body} = :gen_tcp.recv(socket, 0, 10_000)
    assert body =~ "not you, grüße"
    assert_receive {:asked, client}, 20_000
    await_exit_of(client)
    refute_received {:heartwire, _pid, _anything}
    eventually(fn -> :sys.get_state(listener).clients == %{} end)
  end

  for {name, code, expected} <- [
        {"raises", quote(do: raise("broken")), "broken"},
        {"throws", quote(do: throw(:broken)), "broken"},
        {"exits", quote(do: exit(:broken)), "broken"},
        {"is killed", quote(do: Process.exit(self(), :kill)), "killed"},
        {"returns something else", quote(do: true), "must return"},
        {"returns other options", quote(do: {:ok, owners: self()}), "must return"},
        {"returns no text", quote(do: {:error, 403, :no}), "must return"},
        {"returns no owner", quote(do: {:ok, owner: :nobody_is_called_so}), "owner"},
        {"returns no owner's name", quote(do: {:ok, owner: "x"}), "owner"},
        {"returns another status", quote(do: {:error, 302, "elsewhere"}), "400 to 599"},
        {"returns a NUL byte", quote(do: {:error, 403, "\0"}), "NUL"},
        {"returns no UTF-8", quote(do: {:error, 403, <<255>>}), "UTF-8"}
      ] do
    test "a function that #{name} is logged, and the client told nothing of it" do
      turn_away = fn client, _event ->
        _ = client
        unquote(code)
      end

      {_listener, port, _url} = listen!(before_accept: turn_away)

      log =
        capture_log(fn ->
          {"500", _head, socket} = answer(port)
          with {:ok, body} <- :gen_tcp.recv(socket, 0, 10_000), do: refute(body =~ "broken")
        end)

      assert log =~ "before_accept"
      assert log =~ unquote(expected)
    end
  end

  test "a function that does not answer in time is ended, and the client cut off" do
    test = self()

    silent = fn client, _event ->
      send(test, {:asked, self(), client})
      Process.sleep(:infinity)
    end

    log =
      capture_log(fn ->
        {_listener, port, _url} = listen!(before_accept: silent, connect_timeout: 100)
        socket = RawClient.ask(port)
        assert_receive {:asked, function, client}, 20_000
        for pid <- [function, client], do: await_exit_of(pid)
        assert {:error, :closed} = :gen_tcp.recv(socket, 0, 10_000)
        refute_received {:heartwire, _pid, _anything}
      end)

    assert log =~ "no answer within"
  end

  test "a function ends with the client that it is asked about" do
    test = self()

    silent = fn client, _event ->
      send(test, {:asked, self(), client})
      Process.sleep(:infinity)
    end

    {_listener, port, _url} = listen!(before_accept: silent, connect_timeout: "1h")
    socket = RawClient.ask(port)
    assert_receive {:asked, function, client}, 20_000
    :gen_tcp.close(socket)
    for pid <- [client, function], do: await_exit_of(pid)
  end

  test "the answer may come later, from somewhere else" do
    test = self()

    ask = fn client, event ->
      send(test, {:asked, client, event})
      :later
    end

    {listener, port, _url} = listen!(before_accept: ask)
    [first, second] = for _ <- 1..2, do: RawClient.ask(port)
    assert_receive {:asked, client, event}, 20_000
    assert_receive {:asked, other, other_event}, 20_000
    refute_received {:heartwire, _pid, _anything}

    assert {:error, %Error{status: :state}} =
             Listener.answer(client, %{event | attempt_id: 99}, :ok)

    assert {:error, %Error{status: :argument}} =
             Listener.answer(client, event, {:ok, owner: :nobody_is_called_so})

    assert {:error, %Error{status: :argument, message: message}} =
             Listener.answer(client, event, {:error, 200, "fine"})

    assert message =~ "400 to 599"
    assert :ok = Listener.answer(client, event, :ok)
    assert :ok = Listener.answer(other, other_event, {:error, 503, "full"})
    assert await_client(listener) == client
    await_event(client, :opened)
    assert {:error, %Error{status: :state}} = Listener.answer(client, event, :ok)

    statuses =
      for socket <- [first, second], do: socket |> RawClient.read_head() |> binary_part(9, 3)

    assert Enum.sort(statuses) == ["101", "503"]
    await_exit_of(other)
    assert {:error, %Error{status: :handle}} = Listener.answer(other, other_event, :ok)
    assert {:error, %Error{status: :handle}} = Listener.answer(self(), event, :ok)
  end

  test "the listener's owner may be asked by its messages" do
    {listener, port, _url} = listen!(before_accept: :owner)
    socket = RawClient.ask(port)
    client = await_client(listener)
    event = await_event(client, :accept_due)
    assert {"host", "h"} in Event.headers(event)
    assert :ok = Listener.answer(client, event, :ok)
    assert RawClient.read_head(socket) =~ "101"
    await_event(client, :opened)

    refused = RawClient.ask(port)
    client = await_client(listener)
    assert :ok = Listener.answer(client, await_event(client, :accept_due), {:error, 404, ""})
    assert RawClient.read_head(refused) =~ "404"
    assert %Event{state: :failed} = await_state(client, :failed)

    test = self()
    RawClient.ask(port)
    client = await_client(listener)
    other = spawn_link(fn -> tell(test) end)
    assert :ok = Listener.answer(client, await_event(client, :accept_due), {:ok, owner: other})
    assert_receive {:told, {:heartwire, ^listener, {:client, ^client}}}, 20_000
    assert_receive {:told, {:heartwire, ^client, {:event, %Event{kind: :opened}}}}, 20_000
    refute_received {:heartwire, ^client, {:event, %Event{kind: :opened}}}
  end

  test "only a listener's client can be answered about" do
    socket = connect!(url(:ws, "/echo"))
    event = %Event{kind: :accept_due, attempt_id: 1}

    for answer <- [:ok, {:ok, owner: self()}, {:error, 403, ""}],
        do: assert({:error, %Error{status: :state}} = Listener.answer(socket, event, answer))

    assert Heartwire.state(socket) == :connected
  end

  test "an owner that does not read delays nobody" do
    owner = spawn_link(fn -> Process.sleep(:infinity) end)
    let_in = fn _client, _event -> :ok end
    {_listener, port, _url} = listen!(owner: owner, owner_queue_max: 1, before_accept: let_in)
    for _ <- 1..20, do: RawClient.connect(port)
  end
end
