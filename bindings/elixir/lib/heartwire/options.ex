defmodule Heartwire.Options do
  @moduledoc false
  # Turns options into the library's properties by the library's own table: `ping_interval: 20_000`
  # becomes "ping.interval" set to "20000ms". Ranges and defaults are the library's business.

  alias Heartwire.{Error, NIF}

  @type properties :: [{NIF.setter(), binary, binary}]
  @type headers :: [{binary, binary}]
  @type native :: {properties, headers, rules :: [binary], steps :: [binary]}

  # What a native function takes as milliseconds.
  @ttl_max 0xFFFF_FFFF_FFFF_FFFF

  # In milliseconds, in bytes, or mere numbers.
  @units %{
    "ms" => 1,
    "s" => 1000,
    "m" => 60_000,
    "h" => 3_600_000,
    "" => 1,
    "KiB" => 1024,
    "MiB" => 1_048_576,
    "GiB" => 1_073_741_824
  }

  @spec to_native(keyword) :: {:ok, native} | {:error, Error.t()}
  def to_native(options) do
    {headers, options} = Keyword.pop(options, :headers, [])
    {rules, options} = Keyword.pop(options, :rules, [])
    {steps, properties} = Keyword.pop(options, :opening, [])
    types = Map.new(NIF.properties(), &{&1.name, &1.type})

    with {:ok, properties} <- map(properties, &property(&1, types)),
         {:ok, headers} <- headers(headers),
         {:ok, rules} <- map(rules, &json(&1, :rule, "A rule")),
         {:ok, steps} <- map(steps, &json(&1, :step, "A step of the opening script")) do
      {:ok, {properties, headers, rules, steps}}
    end
  end

  @doc "Checks header fields. Their values may authorize, so no error text shows them."
  @spec headers(term) :: {:ok, headers} | {:error, Error.t()}
  def headers(headers) when is_list(headers), do: map(headers, &header/1)
  def headers(_other), do: invalid(:header, "Header fields are a list of pairs of two strings.")

  @typedoc "The flags of a message, and its time to live, 0 if it has none."
  @type sending :: {[NIF.flag()], non_neg_integer}

  @doc "Turns the options of a message that is sent whole into flags and a time to live."
  @spec of_message(term) :: {:ok, sending} | {:error, Error.t()}
  def of_message(options), do: sending(options, [:now, :report], {[], 0})

  @doc "Turns the options of a message that is sent in parts into flags and a time to live."
  @spec of_parts(term) :: {:ok, sending} | {:error, Error.t()}
  def of_parts(options), do: sending(options, [:report], {[], 0})

  defp sending([], _known, taken), do: {:ok, taken}

  defp sending([{:ttl, ttl} | rest], known, {flags, _none})
       when is_integer(ttl) and ttl in 1..@ttl_max,
       do: sending(rest, known, {flags, ttl})

  defp sending([{flag, is_set} = option | rest], known, {flags, ttl}) when is_boolean(is_set) do
    if flag in known,
      do: sending(rest, known, {if(is_set, do: [flag | flags], else: flags), ttl}),
      else: unknown_of_message(option, known)
  end

  defp sending([other | _rest], known, _taken), do: unknown_of_message(other, known)
  defp sending(other, known, _taken), do: unknown_of_message(other, known)

  defp unknown_of_message(other, known) do
    flags = Enum.map_join(known, ", ", &"#{&1}: boolean")
    range = "ttl: 1..#{@ttl_max} (milliseconds)"
    invalid(:argument, "A message's options are #{flags}, #{range}; not #{inspect(other)}.")
  end

  @doc "What a property comes to that the library has taken, or its default, in milliseconds or bytes."
  @spec number(properties, binary) :: non_neg_integer
  def number(properties, name) do
    default = Enum.find(NIF.properties(), &(&1.name == name)).default
    text = for {_setter, ^name, value} <- properties, reduce: default, do: (_ -> value)
    {count, unit} = Integer.parse(text)
    count * Map.fetch!(@units, unit)
  end

  # This process is the only reader of the inbox, so there is no other delivery to choose.
  defp property({:delivery, _value}, _types),
    do: invalid(:property, "The option :delivery is not available: messages go to the owner.")

  defp property({:detector_thread, _value}, _types),
    do: invalid(:property, "The option :detector_thread is not available: a process runs it.")

  defp property({:preset_parameters, value}, types) when is_map(value),
    do: property({:preset_parameters, Map.to_list(value)}, types)

  defp property({:preset_parameters, [{_name, _value} | _rest] = pairs}, _types) do
    with {:ok, items} <- map(pairs, &parameter/1),
         do: {:ok, {:bytes, "preset.parameters", Enum.join(items, ",")}}
  end

  defp property({option, value}, types) when is_atom(option) do
    name = property_name(option, types)
    type = types[name]
    setter = if type in [:text, :bytes], do: :bytes, else: :text

    case written(value, type) do
      {:ok, text} ->
        {:ok, {setter, name, text}}

      :error ->
        invalid(:value, "The option #{inspect(option)} does not take #{shown(option, value)}.")
    end
  end

  defp property(other, _types),
    do: invalid(:argument, "An option is a pair of a name and a value, not #{inspect(other)}.")

  defp parameter({name, value})
       when (is_atom(name) or is_binary(name)) and not is_nil(value) and
              (is_atom(value) or is_binary(value) or is_integer(value)) do
    text = to_string(value)

    if text =~ ",",
      do: invalid(:value, "The parameter #{name} has a comma in its value, which divides them."),
      else: {:ok, "#{name}=#{text}"}
  end

  defp parameter(other) do
    message = "A preset's parameter is a name with a string or an integer, not #{inspect(other)}."
    invalid(:value, message)
  end

  # Credentials stand in no error text.
  defp shown(:basic_auth, _value), do: "that"
  defp shown(_option, value), do: inspect(value)

  # An unknown name gets the form of a property's, for the library to suggest the nearest.
  defp property_name(option, types) do
    text = Atom.to_string(option)
    guess = String.replace(text, "_", ".", global: false)
    Enum.find(Map.keys(types), guess, &(String.replace(&1, ".", "_") == text))
  end

  defp written(value, _type) when is_binary(value), do: {:ok, value}
  defp written(value, :duration) when is_integer(value), do: {:ok, "#{value}ms"}
  defp written(value, _type) when is_integer(value), do: {:ok, Integer.to_string(value)}
  defp written(nil, _type), do: :error
  defp written(value, _type) when is_atom(value), do: {:ok, Atom.to_string(value)}

  defp written([_ | _] = values, :text) do
    if Enum.all?(values, &is_binary/1), do: {:ok, Enum.join(values, ", ")}, else: :error
  end

  defp written([], :text), do: {:ok, ""}
  defp written(_value, _type), do: :error

  defp header({name, value}) when is_binary(name) and is_binary(value), do: {:ok, {name, value}}

  defp header({name, _value}),
    do: invalid(:header, "The header field #{inspect(name)} is not a pair of two strings.")

  defp header(_other), do: invalid(:header, "A header field is a pair of two strings.")

  defp json(text, status, name) do
    {:ok, IO.iodata_to_binary(text)}
  rescue
    ArgumentError -> invalid(status, "#{name} is JSON text, not #{inspect(text)}.")
  end

  defp map(list, convert) when is_list(list) do
    Enum.reduce_while(list, {:ok, []}, fn item, {:ok, done} ->
      case convert.(item) do
        {:ok, converted} -> {:cont, {:ok, [converted | done]}}
        {:error, error} -> {:halt, {:error, error}}
      end
    end)
    |> case do
      {:ok, reversed} -> {:ok, Enum.reverse(reversed)}
      error -> error
    end
  end

  defp map(other, _convert), do: invalid(:argument, "A list is needed, not #{inspect(other)}.")

  defp invalid(status, message),
    do: {:error, Error.new(status: status, layer: :configuration, message: message)}
end
