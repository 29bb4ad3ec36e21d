Code.require_file("mix_tasks/compile_heartwire_nif.exs", __DIR__)

defmodule Heartwire.MixProject do
  use Mix.Project

  def project do
    [
      app: :heartwire,
      version: "0.1.0",
      elixir: "~> 1.14",
      description: "A WebSocket connection that stays alive by itself.",
      compilers: [:heartwire_nif | Mix.compilers()],
      elixirc_paths: elixirc_paths(Mix.env()),
      start_permanent: Mix.env() == :prod,
      deps: []
    ]
  end

  def application do
    [extra_applications: applications(Mix.env()), mod: {Heartwire.Application, []}]
  end

  # The tests play a server by hand, whose answer to the opening handshake needs SHA-1.
  defp applications(:test), do: [:logger, :crypto]
  defp applications(_env), do: [:logger]

  defp elixirc_paths(:test), do: ["lib", "test/support"]
  defp elixirc_paths(_env), do: ["lib"]
end
