defmodule Heartwire.SlowClientOwnerTest do
  use Heartwire.Case

  @close 8
  @limit 200

  # Every client has a process of its own, which reads when it is told to, and passes everything on.
  defp listen_for_owners!(options) do
    test = self()

    let_in = fn client, _event ->
      {:ok, owner: spawn_link(fn -> wait_and_tell(test, client) end)}
    end

    limits = [owner_queue_max: 1, inbox_messages_max: @limit, close_timeout: 200]
    listen!([before_accept: let_in] ++ limits ++ options)
  end

  defp wait_and_tell(test, client) do
    send(test, {:owner, self(), client})
    receive do: (:read -> tell(test, client))
  end

  defp tell(test, client) do
    receive do: ({:heartwire, _pid, what} -> send(test, {:told, client, what}))
    tell(test, client)
  end

  # A client that floods, and one whose owner reads.
  defp open(options) do
    {_listener, port, _url} = listen_for_owners!(options)
    flooding = RawClient.connect(port)
    assert_receive {:owner, slow, client}, 20_000
    quiet = RawClient.connect(port)
    assert_receive {:owner, fast, other}, 20_000
    send(fast, :read)
    %{flooding: flooding, slow: slow, client: client, quiet: quiet, other: other}
  end

  defp numbers(range), do: for(n <- range, do: RawClient.frame("#{n}"))

  # The texts that the client's owner was told until its end, and the other deliveries.
  defp collect(client, texts \\ [], events \\ []) do
    receive do
      {:told, ^client, {:text, text}} ->
        collect(client, [text | texts], events)

      {:told, ^client, {:event, %Event{kind: :state, state: state} = event}}
      when state in [:disconnected, :failed] ->
        {Enum.reverse(texts), Enum.reverse([event | events])}

      {:told, ^client, {:event, event}} ->
        collect(client, texts, [event | events])
    after
      20_000 ->
        flunk("the client did not end")
    end
  end

  test "a client whose owner is far behind is closed, and the others go on" do
    open = open([])
    :ok = :gen_tcp.send(open.flooding, numbers(1..3000))
    assert RawClient.read_frame(open.flooding) == {@close, <<1008::16, "too slow">>}

    :ok = RawClient.send_text(open.quiet, "unharmed")
    other = open.other
    assert_receive {:told, ^other, {:text, "unharmed"}}, 20_000

    eventually(fn -> match?({:error, _}, Heartwire.metrics(open.client)) end)
    send(open.slow, :read)
    {texts, events} = collect(open.client)
    assert length(texts) >= @limit - 20
    assert texts == Enum.map(1..length(texts), &to_string/1)
    # Those without a count tell of the library's inbox.
    told =
      Enum.filter(events, &(&1.kind == :closed or (&1.kind == :slow_consumer and &1.count > 0)))

    assert [%Event{kind: :slow_consumer, count: dropped}, %Event{kind: :closed}] = told
    assert length(texts) + dropped <= 3000
  end

  test "what waits is bounded by its bytes too" do
    open = open(inbox_messages_max: 10_000, inbox_bytes_max: "64KiB")
    large = RawClient.frame(String.duplicate("x", 10_000))
    :ok = :gen_tcp.send(open.flooding, List.duplicate(large, 20))
    assert RawClient.read_frame(open.flooding) == {@close, <<1008::16, "too slow">>}
  end

  test "nothing is lost where the others wait for the owner" do
    open = open(inbox_overflow: :pause)
    spawn_link(fn -> :ok = :gen_tcp.send(open.flooding, numbers(1..3000)) end)
    # The process of the client holds what it may, and the library's inbox is full.
    eventually(fn ->
      {:ok, %{messages_received: received}} = Heartwire.metrics(open.client)
      received >= 2 * @limit
    end)

    :ok = RawClient.send_text(open.quiet, "waiting")
    send(open.slow, :read)

    for n <- 1..3000 do
      text = "#{n}"
      client = open.client
      assert_receive {:told, ^client, {:text, ^text}}, 20_000
    end

    other = open.other
    assert_receive {:told, ^other, {:text, "waiting"}}, 20_000
    :ok = RawClient.send_text(open.flooding, "still here")
    client = open.client
    assert_receive {:told, ^client, {:text, "still here"}}, 20_000
  end

  test "an owner that ends is waited for by nobody" do
    open = open(inbox_overflow: :pause)
    spawn_link(fn -> :gen_tcp.send(open.flooding, numbers(1..3000)) end)

    eventually(fn ->
      match?({:ok, %{messages_received: n}} when n >= 2 * @limit, Heartwire.metrics(open.client))
    end)

    :ok = RawClient.send_text(open.quiet, "waiting")
    Process.unlink(open.slow)
    Process.exit(open.slow, :kill)
    other = open.other
    assert_receive {:told, ^other, {:text, "waiting"}}, 20_000
  end
end
