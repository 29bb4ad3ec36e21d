defmodule Mix.Tasks.Compile.HeartwireNif do
  @shortdoc "Compiles the NIF and puts it into priv together with the library"
  @moduledoc """
  Makes `priv/heartwire_nif.so` from `c_src` and `priv/libheartwire.so.0` beside it.

  The library is the file that the environment variable `HEARTWIRE_LIBRARY` names. Without that
  variable it is built with `swift build` in the repository that holds this package.
  """
  use Mix.Task.Compiler

  @flags ~w(-std=c11 -O2 -fPIC -shared -fvisibility=hidden -D_GNU_SOURCE -Wall -Wextra -Werror)

  # The library may call back into the NIF for a log line at any time, so it is never unloaded.
  @linking ["-Wl,-rpath,$ORIGIN", "-Wl,-z,nodelete"]

  @impl Mix.Task.Compiler
  def run(_arguments) do
    File.mkdir_p!(in_package("priv"))
    library = place_library()
    nif = in_package("priv/heartwire_nif.so")
    sources = Path.wildcard(in_package("c_src/*.c"))
    headers = [in_repository("include/heartwire.h") | Path.wildcard(in_package("c_src/*.h"))]

    if Mix.Utils.stale?(sources ++ headers, [nif]) do
      compile(sources, library, nif)
      # The first build of priv comes after Mix has linked the package's directories.
      Mix.Project.build_structure()
      {:ok, []}
    else
      {:noop, []}
    end
  end

  @impl Mix.Task.Compiler
  def clean, do: File.rm_rf!(in_package("priv"))

  defp place_library do
    source = System.get_env("HEARTWIRE_LIBRARY") || build_library()
    target = in_package("priv/libheartwire.so.0")

    case File.read(source) do
      {:ok, content} ->
        if File.read(target) != {:ok, content}, do: replace(target, content)
        target

      {:error, reason} ->
        Mix.raise("The library #{source} cannot be read: #{:file.format_error(reason)}.")
    end
  end

  # A running system may have the old file mapped, so it is replaced and never written over.
  defp replace(target, content) do
    File.write!(target <> ".new", content)
    File.rename!(target <> ".new", target)
  end

  defp build_library do
    library = in_repository(".build/release/libheartwire.so")

    sources = [
      in_repository("Package.swift") | Path.wildcard(in_repository("Sources/**/*.{swift,h}"))
    ]

    if Mix.Utils.stale?(sources, [library]) do
      swift =
        System.find_executable("swift") ||
          Mix.raise(
            "There is no swift to build the library; let HEARTWIRE_LIBRARY name its file."
          )

      arguments = ~w(build -c release --product heartwire)
      run!(swift, arguments, in_repository(""), "The library could not be built")
    end

    library
  end

  defp compile(sources, library, nif) do
    compiler = System.get_env("CC") || "cc"

    System.find_executable(compiler) ||
      Mix.raise("There is no C compiler #{compiler}; install one (build-essential) or set CC.")

    includes = ["-I" <> in_repository("include"), "-I" <> erlang_include()]

    arguments = @flags ++ includes ++ sources ++ [library | @linking] ++ ["-o", nif <> ".new"]

    run!(compiler, arguments, in_package(""), "The NIF could not be compiled")
    File.rename!(nif <> ".new", nif)
  end

  defp erlang_include do
    root = to_string(:code.root_dir())
    erts = "erts-#{:erlang.system_info(:version)}"
    candidates = [Path.join(root, "usr/include"), Path.join([root, erts, "include"])]

    Enum.find(candidates, &File.exists?(Path.join(&1, "erl_nif.h"))) ||
      Mix.raise(
        "erl_nif.h is in none of #{Enum.join(candidates, ", ")}; install Erlang's headers (erlang-dev)."
      )
  end

  defp run!(command, arguments, directory, failure) do
    {output, status} = System.cmd(command, arguments, cd: directory, stderr_to_stdout: true)
    if status != 0, do: Mix.raise("#{failure}:\n#{output}")
  end

  defp in_package(path), do: Path.expand(Path.join("..", path), __DIR__)
  defp in_repository(path), do: in_package(Path.join("../..", path))
end
