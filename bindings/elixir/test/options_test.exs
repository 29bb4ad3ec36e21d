defmodule Heartwire.OptionsTest do
  use ExUnit.Case

  alias Heartwire.Options

  @not_options ["delivery", "detector.thread"]

  test "every property of the library is an option, at its default" do
    options =
      for property <- Heartwire.properties(),
          property.name not in @not_options and property.default != "" do
        {property.name |> String.replace(".", "_") |> String.to_atom(), property.default}
      end

    assert {:ok, {native, [], [], []}} = Options.to_native(options)

    assert Enum.map(native, fn {_setter, name, value} -> {name, value} end) ==
             for(
               property <- Heartwire.properties(),
               property.name not in @not_options and property.default != "",
               do: {property.name, property.default}
             )
  end

  test "properties are described" do
    assert %{type: :duration, default: "20s", doc: doc, range: range} =
             Enum.find(Heartwire.properties(), &(&1.name == "ping.interval"))

    assert doc != "" and range != ""
  end

  test "values are written as the library reads them" do
    for {option, written} <- [
          {{:ping_interval, 1500}, {:text, "ping.interval", "1500ms"}},
          {{:ping_interval, "2s"}, {:text, "ping.interval", "2s"}},
          {{:queue_bytes_max, 4096}, {:text, "queue.bytes_max", "4096"}},
          {{:ping_missed_max, 3}, {:text, "ping.missed_max", "3"}},
          {{:reconnect_enabled, false}, {:text, "reconnect.enabled", "false"}},
          {{:inbox_overflow, :drop_oldest}, {:text, "inbox.overflow", "drop_oldest"}},
          {{:subprotocols, ["a", "b"]}, {:bytes, "subprotocols", "a, b"}},
          {{:heartbeat_binary, <<0, 1>>}, {:bytes, "heartbeat.binary", <<0, 1>>}},
          {{:no_such_thing, "x"}, {:text, "no.such_thing", "x"}}
        ] do
      assert Options.to_native([option]) == {:ok, {[written], [], [], []}}
    end
  end

  test "header fields keep their order" do
    headers = [{"a", "1"}, {"b", "2"}, {"a", "3"}]
    assert Options.to_native(headers: headers) == {:ok, {[], headers, [], []}}
  end
end
