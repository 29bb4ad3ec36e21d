defmodule Heartwire.PartsTest do
  use Heartwire.Case

  @part 1024
  @large String.duplicate("grüße 🎺 ", 1000)
  @whole String.duplicate("x", 10_000)

  describe "receiving in parts" do
    for {server, compression} <- [ws: :off, ws: :on, wss: :off, wss: :on, aiohttp: :off] do
      test "over #{server} with compression #{compression}" do
        options = [message_part_bytes: @part, compression: unquote(compression)]
        socket = connect!(url(unquote(server), "/echo"), options)
        assert %Event{compressed: unquote(compression == :on)} = await_event(socket, :opened)

        for {kind, part_kind} <- [text: :text_part, binary: :binary_part] do
          assert :ok = Heartwire.send(socket, {kind, @large})
          parts = await_parts(socket, part_kind)
          assert Enum.all?(parts, fn {data, _position} -> byte_size(data) <= @part end)
          assert Enum.map_join(parts, &elem(&1, 0)) == @large
          middle = List.duplicate(:middle, length(parts) - 2)
          assert Enum.map(parts, &elem(&1, 1)) == [:first] ++ middle ++ [:last]
          if kind == :text, do: assert(Enum.all?(parts, fn {data, _} -> String.valid?(data) end))

          assert :ok = Heartwire.send(socket, {kind, "small"})
          assert await_message(socket) == {kind, "small"}
        end
      end
    end

    test "a part does not wait for the rest of its message" do
      socket = connect!(url(:raw, "/message-in-halves"), message_part_bytes: @part)
      assert await_part(socket, :text_part) == {String.duplicate("x", @part), :first}
      assert :ok = Heartwire.send(socket, {:text, "rest"})
      await_parts(socket, :text_part)
    end

    test "the message after one that the connection cut off begins anew" do
      socket = connect!(url(:raw, "/message-in-halves"), message_part_bytes: @part)
      assert {_data, :first} = await_part(socket, :text_part)
      assert :ok = Heartwire.send(socket, {:text, "break"})
      assert_parts_until_closed(socket)
      assert :ok = Heartwire.send(socket, {:text, "rest"})
      [{_data, :first} | _rest] = parts = await_parts(socket, :text_part)
      assert Enum.map_join(parts, &elem(&1, 0)) == @whole
    end
  end

  describe "sending in parts" do
    test "they leave as they come, and what is sent meanwhile follows" do
      socket = connect!(url(:raw, "/report-each-frame"))

      parts =
        Stream.map(["one", ["th", ?r, "ee"]], fn part ->
          if part != "one" do
            assert await_message(socket) == {:text, "[1, false, 3]"}
            assert :ok = Heartwire.send(socket, {:text, "follows"})
          end

          part
        end)

      assert :ok = Heartwire.send_parts(socket, {:text, parts})

      for report <- ["[0, false, 5]", "[0, true, 0]", "[1, true, 7]"],
          do: assert(await_message(socket) == {:text, report})
    end

    for {server, size} <- [ws: 10, wss: 10, ws: 100_000] do
      test "they arrive as one message, parts of #{size} bytes over #{server}" do
        socket = connect!(url(unquote(server), "/echo"))

        # Code points may be cut.
        for {kind, letter} <- [text: "ü", binary: <<0, 255>>] do
          part = String.duplicate(letter, div(unquote(size), 2))
          <<head, tail::binary>> = part
          assert :ok = Heartwire.send_parts(socket, {kind, [[head], tail, "", part]})
          assert await_message(socket) == {kind, part <> part}
        end
      end
    end

    test "no part is no message" do
      socket = connect!(url(:ws, "/echo"))
      assert :ok = Heartwire.send_parts(socket, {:text, []})
      assert {:ok, %{messages_sent: 0}} = Heartwire.metrics(socket)
    end

    test "the caller waits while the queue is full" do
      socket = connect!(url(:ws, "/echo"), queue_bytes_max: "4KiB")
      blocker = block(socket)
      sender = send_parts_aside(socket)
      await_sender(socket, sender)
      send(blocker, :end)
      assert_receive {:sent, :ok}, 20_000
      assert await_message(socket) == {:text, "first"}
      assert await_message(socket) == {:text, String.duplicate("x", 4000)}
      assert await_message(socket) == {:text, String.duplicate("y", 4000)}
      assert :sys.get_state(socket).senders == []
    end

    test "the caller may be an owner that has much to read" do
      socket = open!(url(:ws, "/echo"), queue_bytes_max: "4KiB", owner_queue_max: 1)
      eventually(fn -> Heartwire.state(socket) == :connected end)
      blocker = block(socket)
      test = self()
      send(test, :something_to_read)

      spawn_link(fn ->
        await_sender(socket, test)
        send(blocker, :end)
      end)

      assert :ok = Heartwire.send_parts(socket, {:text, [String.duplicate("y", 2000), "z"]})
      assert_received :something_to_read
      # Nothing is left of the waiting.
      {:messages, messages} = Process.info(self(), :messages)
      refute Enum.any?(messages, &match?({reference, _what} when is_reference(reference), &1))
    end

    test "the caller waits no longer than the connection can be sent on" do
      # One that closes may have gone before its sender has looked.
      for {ending, statuses} <- [
            {&Heartwire.close/1, [:state, :handle]},
            {&Process.exit(&1, :kill), [:handle]}
          ] do
        socket = connect!(url(:ws, "/echo"), queue_bytes_max: "4KiB", close_timeout: "1h")
        block(socket)
        sender = send_parts_aside(socket)
        await_sender(socket, sender)
        ending.(socket)
        assert_receive {:sent, {:error, %Error{status: status}}}, 20_000
        assert status in statuses
      end
    end

    test "the caller waits no longer than the message is to be sent" do
      socket = open!(url(:refused, "/"), queue_bytes_max: "1KiB")
      :ok = Heartwire.send(socket, {:text, String.duplicate("x", 1000)})
      parts = {:text, ["begun", String.duplicate("y", 100), "never asked for"]}
      assert {:ok, 2} = Heartwire.send_parts(socket, parts, ttl: 50)
      assert {:ok, :expired} = Heartwire.outcome(socket, 2)
    end

    # Has a message begun whose end is awaited, and as much sent after it as the queue takes.
    defp block(socket) do
      test = self()

      blocker =
        spawn(fn ->
          parts =
            Stream.map(["first", ""], fn part ->
              if part == "" do
                send(test, :begun)
                receive do: (:end -> :ok)
              end

              part
            end)

          Heartwire.send_parts(socket, {:text, parts})
        end)

      assert_receive :begun, 20_000
      :ok = Heartwire.send(socket, {:text, String.duplicate("x", 4000)})
      blocker
    end

    defp send_parts_aside(socket) do
      test = self()
      parts = {:text, List.duplicate(String.duplicate("y", 2000), 2)}
      spawn_link(fn -> send(test, {:sent, Heartwire.send_parts(socket, parts)}) end)
    end

    defp await_sender(socket, sender),
      do: eventually(fn -> match?([{^sender, _}], :sys.get_state(socket).senders) end)

    test "a connection that is gone is answered with its reason" do
      socket = connect!(url(:ws, "/echo"))
      assert :ok = Heartwire.close(socket)
      assert :normal = await_exit(socket)

      assert {:error, %Error{status: :handle}} = Heartwire.send_parts(socket, {:text, ["a"]})
    end
  end

  describe "send_parts/3" do
    test "answers with an id, by which the outcome is told" do
      socket = connect!(url(:ws, "/echo"))
      assert {:ok, 0} = Heartwire.send_parts(socket, {:text, []}, report: true)
      assert {:ok, 1} = Heartwire.send_parts(socket, {:text, ["not ", "reported"]}, report: false)
      assert {:ok, 2} = Heartwire.send_parts(socket, {:text, ["re", "ported"]}, report: true)
      assert %Event{message_id: 2, count: 1, level: :sent} = await_event(socket, :outcome)
      for data <- ["not reported", "reported"], do: assert(await_message(socket) == {:text, data})
    end

    test "gives up what has waited too long" do
      socket = open!(url(:refused, "/"))
      assert {:ok, 1} = Heartwire.send_parts(socket, {:text, ["o", "ld"]}, ttl: 3_600_000)

      parts =
        Stream.map(["begun", "expired", "never asked for"], fn part ->
          assert part != "never asked for"

          if part == "expired",
            do: assert(%Event{level: :expired} = await_event(socket, :outcome))

          part
        end)

      assert {:ok, 2} = Heartwire.send_parts(socket, {:text, parts}, ttl: 1)
      assert {:ok, :expired} = Heartwire.outcome(socket, 2)
      assert {:ok, :pending} = Heartwire.outcome(socket, 1)
      assert {:ok, 3} = Heartwire.send(socket, {:text, "still taken"}, [])
    end

    test "refuses options that it does not have" do
      socket = open!(url(:refused, "/"))

      for options <- [[now: true], [now: false], [report: 1], [ttl: 0], :report] do
        assert {:error, %Error{status: :argument, message: message}} =
                 Heartwire.send_parts(socket, {:text, ["x"]}, options)

        assert message =~ "are report: boolean, ttl: "
      end

      assert {:ok, %{queue_messages: 0}} = Heartwire.metrics(socket)
    end
  end

  describe "a message that is not brought to its end closes the connection" do
    setup do
      key = "elixir-#{System.unique_integer([:positive])}"
      url = url(:raw, "/report-each-frame?key=#{key}")
      socket = connect!(url, queue_bytes_max: "64KiB")
      %{socket: socket, witness: url(:raw, "/seen-close?key=#{key}")}
    end

    test "because the enumerable raises", context do
      parts = Stream.map(["begun", "failing"], &if(&1 == "begun", do: &1, else: raise("no more")))

      assert_raise RuntimeError, "no more", fn ->
        Heartwire.send_parts(context.socket, {:text, parts})
      end

      assert_closed_by_error(context)
    end

    test "because a part is no iodata", context do
      assert_raise ArgumentError, fn ->
        Heartwire.send_parts(context.socket, {:text, ["begun", :atom]})
      end

      assert_closed_by_error(context)
    end

    test "because a part is refused", context do
      assert {:error, %Error{status: :utf8}} =
               Heartwire.send_parts(context.socket, {:text, ["begun", <<0xFF>>]})

      assert_closed_by_error(context)
    end

    test "because the text ends inside a code point", context do
      assert {:error, %Error{status: :utf8}} =
               Heartwire.send_parts(context.socket, {:text, ["begun", <<0xC3>>]})

      assert_closed_by_error(context)
    end

    test "because it is larger than the queue", context do
      parts = List.duplicate(:binary.copy("x", 1000), 100)

      assert {:error, %Error{status: :too_large}} =
               Heartwire.send_parts(context.socket, {:binary, parts})

      assert_closed_by_error(context)
    end

    test "because its sender is killed", %{socket: socket} = context do
      parts = Stream.map(["begun", ""], &if(&1 == "", do: Process.sleep(:infinity), else: &1))
      sender = spawn(fn -> Heartwire.send_parts(socket, {:text, parts}) end)
      assert await_message(socket) == {:text, "[1, false, 5]"}
      Process.exit(sender, :kill)
      assert_closed_by_error(context)
    end

    defp assert_closed_by_error(%{socket: socket, witness: witness}) do
      assert await_exit(socket) == :normal
      {:text, seen} = await_message(open!(witness))
      assert seen =~ "1011"
    end
  end

  test "a failure before the first part leaves the connection" do
    socket = connect!(url(:ws, "/echo"))
    parts = Stream.map([1], fn _part -> raise "nothing" end)
    assert_raise RuntimeError, fn -> Heartwire.send_parts(socket, {:text, parts}) end
    assert_raise ArgumentError, fn -> Heartwire.send_parts(socket, {:text, [:atom]}) end

    assert {:error, %Error{status: :utf8}} = Heartwire.send_parts(socket, {:text, [<<0xFF>>]})

    assert :ok = Heartwire.send(socket, {:text, "still open"})
    assert await_message(socket) == {:text, "still open"}
  end

  test "nothing is left of a message that was sent" do
    socket = connect!(url(:ws, "/echo"))
    test = self()

    {sender, monitor} =
      spawn_monitor(fn ->
        send(test, {:sent, Heartwire.send_parts(socket, {:text, ["a", "b"]})})
      end)

    assert_receive {:sent, :ok}, 20_000
    assert_receive {:DOWN, ^monitor, :process, ^sender, :normal}, 20_000
    assert await_message(socket) == {:text, "ab"}
    assert :ok = Heartwire.send(socket, {:text, "still open"})
    assert await_message(socket) == {:text, "still open"}
  end

  defp await_part(socket, kind) do
    assert_receive {:heartwire, ^socket, {^kind, data, position}}, 20_000
    {data, position}
  end

  defp await_parts(socket, kind) do
    case await_part(socket, kind) do
      {_data, :last} = part -> [part]
      part -> [part | await_parts(socket, kind)]
    end
  end

  # In order of arrival: parts of the message, none of them its last, then the event.
  defp assert_parts_until_closed(socket) do
    receive do
      {:heartwire, ^socket, {:text_part, _data, :middle}} ->
        assert_parts_until_closed(socket)

      {:heartwire, ^socket, {:event, %Event{kind: :closed, close_code: 1006}}} ->
        :ok

      {:heartwire, ^socket, {:event, %Event{kind: kind}}} when kind != :closed ->
        assert_parts_until_closed(socket)
    after
      20_000 -> flunk("the connection did not end")
    end
  end
end
