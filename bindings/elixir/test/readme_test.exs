defmodule Heartwire.ReadmeTest do
  use Heartwire.Case

  import ExUnit.CaptureIO
  import Heartwire.Asking

  @readme Path.expand("../../../README.md", __DIR__)
  @url ~s("wss://www.deribit.com/ws/api/v2")

  # The first block of code in Elixir after a heading.
  defp block(heading) do
    [_before, section] = @readme |> File.read!() |> String.split("\n#{heading}\n", parts: 2)
    [_all, code] = Regex.run(~r/```elixir\n(.*?)```/s, section)
    code
  end

  test "what the README shows of heartbeats runs as it stands, but for the server" do
    on_exit(&Heartwire.Log.detach/0)
    code = block("### In Elixir")
    assert code =~ @url

    url =
      asking(
        ~s({"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}),
        ~s("method":"public/test"),
        after: ~s("params":{"interval":10})
      )

    output = capture_io(fn -> Code.eval_string(String.replace(code, @url, inspect(url))) end)
    assert output =~ ~r/^reply 0 took \d+ us: [a-z_]+\n\w+, \w+, \d+ answered\n$/
  end
end
