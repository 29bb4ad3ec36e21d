defmodule Heartwire.HeaderTest do
  use Heartwire.Case

  alias Heartwire.{Health, NIF}

  @header "../../../include/heartwire.h" |> Path.expand(__DIR__) |> File.read!()

  # The names of a struct's fields in the header, but for its own size.
  defp fields(struct) do
    [_all, body] = Regex.run(~r/typedef struct #{struct} \{\n(.*?)\n\} #{struct};/s, @header)
    code = Regex.replace(~r/\/\*.*?\*\//s, body, "")

    for [_all, declared] <- Regex.scan(~r/^\s+[^;]*?(\w+(?:, \w+)*);/m, code),
        name <- String.split(declared, ", "),
        name != "struct_size",
        do: String.to_atom(name)
  end

  defp keys(struct), do: struct |> Map.from_struct() |> Map.keys()

  test "an event has the fields of hw_event" do
    assert Enum.sort(fields("hw_event") -- [:text_size, :body_size]) == keys(%Event{kind: nil})
  end

  test "the health has the fields of hw_health, and the library fills all of them" do
    assert Enum.sort(fields("hw_health")) == Enum.sort(keys(%Health{}))
    socket = connect!(url(:ws, "/echo"))
    [{^socket, handle}] = Registry.lookup(Heartwire.Registry, socket)
    assert {:ok, filled} = NIF.health(handle)
    assert Enum.sort(Map.keys(filled)) == Enum.sort(keys(%Health{}))
  end

  test "the metrics have the fields of hw_metrics" do
    assert {:ok, metrics} = Heartwire.metrics(connect!(url(:ws, "/echo")))
    assert Enum.sort(Map.keys(metrics)) == Enum.sort(fields("hw_metrics"))
  end

  test "what a shutdown reports has the fields of hw_shutdown_report" do
    report = Heartwire.shutdown(20_000)
    assert Enum.sort(Map.keys(report)) == Enum.sort(fields("hw_shutdown_report"))
  end

  test "every kind of event of the header is one of the type's" do
    in_header =
      for [_all, name] <- Regex.scan(~r/HW_EVENT_([A-Z_]+) = \d+/, @header),
          do: name |> String.downcase() |> String.to_atom()

    {:ok, types} = Code.Typespec.fetch_types(Event)
    [members] = for {:type, {:kind, {:type, _line, :union, members}, []}} <- types, do: members
    in_type = for {:atom, _line, atom} <- members, do: atom
    assert Enum.sort(in_type -- [:unknown]) == Enum.sort(in_header)
  end
end
