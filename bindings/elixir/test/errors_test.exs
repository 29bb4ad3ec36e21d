defmodule Heartwire.ErrorsTest do
  use Heartwire.Case

  describe "start_link/1 answers an error without ending its caller" do
    # An exit signal would reach this process as a message.
    defp refused(options) do
      assert {:error, %Error{} = error} = Heartwire.start_link(options)
      refute_received {:EXIT, _pid, _reason}
      assert error.message != ""
      error
    end

    test "for malformed URLs" do
      for url <- [
            "",
            "http://localhost/",
            "ws://",
            "ws://localhost:99999/",
            "ws://a b/",
            "ws://a\0b/"
          ] do
        assert %Error{status: :url} = refused(url: url)
      end
    end

    test "for an unknown option, with the nearest name" do
      assert %Error{status: :property, message: message} =
               refused(url: "ws://localhost/", ping_intervall: "1s")

      assert message =~ "ping.interval"
    end

    test "for values that an option does not take" do
      for {option, value} <- [
            ping_interval: "soon",
            ping_interval: -1,
            ping_interval: {1, :second},
            ping_interval: "1s\0",
            reconnect_enabled: :maybe,
            queue_messages_max: 1.5,
            inbox_overflow: nil,
            subprotocols: [:chat]
          ] do
        assert %Error{status: :value} = refused([{:url, "ws://localhost/"}, {option, value}])
      end
    end

    test "for the delivery, which is not the owner's to choose" do
      assert %Error{status: :property} = refused(url: "ws://localhost/", delivery: :dispatcher)
    end

    test "for contradicting options" do
      assert %Error{status: :conflict} = refused(url: "ws://localhost/", heartbeat_interval: "1s")
    end

    test "for header fields that are not allowed" do
      for header <- [{"Host", "x"}, {"a b", "x"}, {"a", "x\r\ny"}, {"a", "x\0y"}, {"a", 1}, "a"] do
        assert %Error{status: :header} = refused(url: "ws://localhost/", headers: [header])
      end
    end

    test "for an owner that is nobody" do
      assert %Error{status: :argument} =
               refused(url: "ws://localhost/", owner: :nobody_is_called_so)
    end

    test "for a CA file that is not there" do
      assert %Error{status: :trust_store} =
               refused(url: "wss://localhost/", tls_ca_file: "/does/not/exist.pem")
    end
  end

  test "an unknown host is tried again" do
    socket = open!("ws://nobody.invalid/")
    assert %Event{status: :resolve, layer: :resolver} = await_event(socket, :attempt_failed)
  end

  test "a wrong accept key fails the connection at once" do
    socket = open!(url(:raw, "/wrong-accept"))
    assert %Event{status: :handshake} = await_state(socket, :failed)
    assert {:shutdown, %Error{status: :handshake}} = await_exit(socket)
  end

  test "a refusal by HTTP status shows the status and the answer" do
    socket = open!(url(:ws, "/status?code=403"))
    event = await_event(socket, :attempt_failed)
    assert %Event{status: :http_status, http_status: 403, layer: :http} = event
    assert event.body =~ "refused with 403"
    assert {:shutdown, %Error{http_status: 403, retryable: false}} = await_exit(socket)
  end

  test "a refusal tells how long the server asks to be left alone" do
    socket = open!(url(:ws, "/status?code=503&retry_after=120"), reconnect_attempts_max: 1)

    assert %Event{http_status: 503, retry_after_ms: 120_000} =
             await_event(socket, :attempt_failed)

    await_exit(socket)
  end

  test "credentials stand in no error text" do
    for value <- [~c"user:hunter2", "hunter2", {"user", "hunter2"}] do
      assert {:error, %Error{status: :value, message: message}} =
               Heartwire.start_link(url: url(:ws, "/echo"), basic_auth: value)

      refute message =~ "hunter2"
      refute message =~ inspect(~c"user:hunter2", charlists: :as_lists)
    end
  end

  for server <- [:wss_expired, :wss_wrong_host] do
    test "a certificate does not pass verification: #{server}" do
      socket = open!(url(unquote(server), "/echo"))
      assert %Event{status: :certificate, layer: :tls} = await_state(socket, :failed)
      assert {:shutdown, %Error{status: :certificate} = error} = await_exit(socket)
      assert error.native_code != 0
    end
  end

  test "a certificate of a CA that is not trusted does not pass" do
    {:ok, socket} = Heartwire.start_link(url: url(:wss, "/echo"))
    assert {:shutdown, %Error{status: :certificate}} = await_exit(socket)
  end

  test "a server that breaks the protocol is given up on or left, never obeyed" do
    for path <- ["/garbage", "/masked", "/bad-utf8", "/close-1-byte"] do
      socket = open!(url(:raw, path), reconnect_enabled: false)
      assert {:shutdown, %Error{status: status}} = await_exit(socket)
      assert status in [:protocol, :utf8], "#{path} ended with #{status}"
    end
  end

  test "messages that cannot be sent are answered with the reason" do
    socket = connect!(url(:ws, "/echo"), queue_bytes_max: "64KiB")
    assert {:error, %Error{status: :utf8}} = Heartwire.send(socket, {:text, <<0xFF>>})
    data = :binary.copy("x", 1_000_000)
    assert {:error, %Error{status: :too_large}} = Heartwire.send(socket, {:binary, data})
  end

  test "the queue has a limit" do
    socket = open!(url(:refused, "/"), queue_messages_max: 2)
    assert :ok = Heartwire.send(socket, {:text, "1"})
    assert :ok = Heartwire.send(socket, {:text, "2"})

    assert {:error, %Error{status: :full, message: message}} =
             Heartwire.send(socket, {:text, "3"})

    assert message =~ "queue"
  end

  test "close/3 refuses codes and reasons that no client may send" do
    socket = connect!(url(:ws, "/echo"))

    for {code, reason} <- [
          {1005, ""},
          {999, ""},
          {70_000, ""},
          {-1, ""},
          {1000, <<0xFF>>},
          {1000, "a\0b"},
          {1000, String.duplicate("x", 124)}
        ] do
      assert {:error, %Error{status: :argument}} = Heartwire.close(socket, code, reason)
    end

    assert Heartwire.state(socket) == :connected
  end

  test "an error can be raised" do
    assert_raise Error, "The connection is gone.", fn -> raise Error.new(status: :handle) end
  end
end
