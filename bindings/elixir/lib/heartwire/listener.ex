defmodule Heartwire.Listener do
  @moduledoc """
  Lets clients in, keeps them alive and sends to all of them or to groups.

      {:ok, listener} = Heartwire.listen("ws://127.0.0.1:8080")

      receive do
        {:heartwire, ^listener, {:client, client}} -> Heartwire.send(client, {:text, "welcome"})
      end

      {:ok, _reached} = Heartwire.Listener.broadcast(listener, {:text, "news"})

  Every client is a connection of its own, a process for `Heartwire.send/2`, `Heartwire.close/3`,
  `Heartwire.metrics/1` and the like; `Heartwire.keep/3` and `Heartwire.rotate/1` do nothing for it.
  Clients are pinged by the library (`:ping_interval`, 30 s), whatever happens in this VM, and those
  that do not answer are closed with 1001.

  ## What owners receive

  A client's owner gets `{:heartwire, listener, {:client, client}}`, then what the owner of any
  connection gets, see `Heartwire`, beginning with the event of kind `:accept_due` if somebody is
  asked about clients, or else `:opened`. That is the listener's owner, the process that called
  `start_link/1` or the option `:owner`, unless the client is let in for another:

      children = [
        {DynamicSupervisor, name: MyApp.Clients},
        {Heartwire.Listener,
         url: "ws://0.0.0.0:8080", owner: MyApp.Lobby, before_accept: &MyApp.Lobby.let_in/2}
      ]

      def let_in(client, event) do
        with {:ok, user} <- user(Heartwire.Event.headers(event)),
             {:ok, pid} <- DynamicSupervisor.start_child(MyApp.Clients, {MyApp.Client, {client, user}}) do
          {:ok, owner: pid}
        else
          :unknown -> {:error, 401, "who are you?"}
        end
      end

  The owner's end closes its clients, and the end of the listener's owner the listener. A client's
  process ends as any connection's; it is linked to nobody, so an owner that wants to know of its end
  even if it is killed, or the listener is, has to monitor it. What is asked of a client that has gone
  is answered with the status `:handle`.

  ## Who is let in

  Without the option `:before_accept` every client is whose request is proper and whose origin is among
  `:listener_origins`. With it, somebody is asked within `:connect_timeout`:

    * a function of the client and the event of kind `:accept_due`, whose `text` is path and query and
      of which `Heartwire.Event.headers/1` gives the header fields. It runs in a process of its own,
      which is killed when it is too late. If it raises, that is logged and the client turned away
      with 500.
    * `:owner` - the listener's owner receives the event, and answers with `answer/3`

  The answers are

    * `:ok` - the client is let in, for the listener's owner
    * `{:ok, owner: owner}` - it is let in for another process
    * `{:error, status, reason}` - it is turned away with an HTTP status from 400 to 599 and a text
    * `:later`, of the function alone - it is not decided yet; somebody calls `answer/3`

  ## Slow owners

  Nothing more is delivered to an owner whose message queue is as long as `:owner_queue_max`; it waits
  with the client's process. When that has reached `:inbox_messages_max` or `:inbox_bytes_max`, the
  client is closed with 1008, and what it says until it has gone is left out: an event of kind
  `:slow_consumer` tells how many messages that were. With `inbox_overflow: :pause` nothing is left
  out: nothing more is taken of any client of the listener, nor a new one let in, until that owner has
  caught up. With `:drop_oldest` or `:drop_newest` it is the same until as much waits in the library,
  which then drops messages of any client. Heartbeats go on in any case.
  """

  alias Heartwire.{BeforeAccept, Error, Event, Handle, Listener, NIF, Owner}

  @type listener :: GenServer.server()
  @type client :: Heartwire.connection()
  @type group :: String.t()
  @type answer ::
          :ok
          | {:ok, [{:owner, GenServer.server()}]}
          | {:error, status :: 400..599, reason :: String.t()}
  @type before_accept :: (client, Event.t() -> answer | :later)
  @type option ::
          {:url, String.t()}
          | {:owner, GenServer.server()}
          | {:name, GenServer.name()}
          | {:owner_queue_max, pos_integer}
          | {:before_accept, before_accept | :owner}
          | {:preset, String.t() | atom}
          | {:rules, [json :: iodata]}
          | {:detector, Heartwire.detector()}
          | {atom, String.t() | integer | boolean | atom | [String.t()]}

  @doc """
  Listens at `:url`, such as `"ws://127.0.0.1:8080"`; port 0 takes a free one, and the host `[::]` or
  `0.0.0.0` all addresses of the machine.

  The other options are `:before_accept`, those of `Heartwire.start_link/1` that are not about
  connecting, for all clients, and the library's properties. The connections of all clients have one
  detector function, called in a process for each of them.

  Wrong options, and an address that cannot be had, are answered with an error, without an exit signal
  to the caller.
  """
  @spec start_link([option]) :: {:ok, pid} | {:error, Error.t() | {:already_started, pid}}
  def start_link(options) do
    {server_options, options} = Keyword.split(options, [:name])
    _ = Keyword.fetch!(options, :url)
    defaults = [owner: self(), owner_queue_max: Owner.queue_max()]
    Listener.Server.start_link(Keyword.merge(defaults, options), server_options)
  end

  @doc "A child specification; `options` are those of `start_link/1` and must name the `:owner`."
  @spec child_spec([option]) :: Supervisor.child_spec()
  def child_spec(options) do
    unless Keyword.has_key?(options, :owner) do
      raise ArgumentError, "a supervised listener needs the option :owner"
    end

    %{
      id: Keyword.get(options, :name, __MODULE__),
      start: {__MODULE__, :start_link, [options]},
      restart: :transient
    }
  end

  @doc "The port that is listened at."
  @spec port(listener) :: {:ok, :inet.port_number()} | {:error, Error.t()}
  def port(listener), do: Handle.call_listener(listener, &NIF.port/1)

  @doc """
  Answers the event of kind `:accept_due` about a client. `:state` says that the client has gone or was
  answered before; after any other error, but for `:handle`, it still waits for an answer.
  """
  @spec answer(client, Event.t(), answer) :: :ok | {:error, Error.t()}
  def answer(client, %Event{kind: :accept_due, attempt_id: id}, answer),
    do: BeforeAccept.answer(client, id, answer)

  @doc """
  Puts a client into a group, for `broadcast/3`; twice is once, and it leaves its groups when it goes.
  A group is named by 1 to 255 bytes. `:state` says that the connection is no client of the listener.
  """
  @spec join(listener, client, group) :: :ok | {:error, Error.t()}
  def join(listener, client, group) when is_binary(group),
    do: change_group(listener, client, group, &NIF.join/3)

  @doc "Takes a client out of a group."
  @spec leave(listener, client, group) :: :ok | {:error, Error.t()}
  def leave(listener, client, group) when is_binary(group),
    do: change_group(listener, client, group, &NIF.leave/3)

  @doc """
  Sends one message to every client, or to those of a group, and says how many took it. Those that are
  not connected yet, or whose queue is full, are left out.
  """
  @spec broadcast(listener, Heartwire.message(), group | nil) ::
          {:ok, reached :: non_neg_integer} | {:error, Error.t()}
  def broadcast(listener, {kind, data}, group \\ nil)
      when kind in [:text, :binary] and (is_binary(group) or is_nil(group)) do
    data = IO.iodata_to_binary(data)
    Handle.call_listener(listener, &NIF.broadcast(&1, group, kind, data), group_errors())
  end

  @doc """
  Lets nobody in any more, and closes the clients with 1001 as `Heartwire.close/3` does.

  Returns at once; the process ends when all of them have gone. Closing again, or what is gone already,
  is `:ok`.
  """
  @spec close(listener) :: :ok
  def close(listener) do
    with :ok <- Handle.call_listener(listener, &NIF.close_listener/1),
         do: GenServer.cast(listener, :close)

    :ok
  end

  defp change_group(listener, client, group, change) do
    sentences = [{:handle, "The client or the listener is gone."} | group_errors()]

    Handle.call_listener(listener, fn listener ->
      Handle.call(client, &change.(listener, &1, group), sentences)
    end)
  end

  defp group_errors do
    [
      argument: "A group is named by 1 to 255 bytes without NUL.",
      state: "The connection is no client of this listener, or has gone."
    ]
  end
end
