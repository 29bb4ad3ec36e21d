{:ok, server} = Heartwire.TestServer.start()
ExUnit.after_suite(fn _result -> GenServer.stop(server) end)
ExUnit.start(capture_log: true)
