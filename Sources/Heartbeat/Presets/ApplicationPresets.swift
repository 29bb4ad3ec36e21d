// Chat, application and infrastructure protocols.

extension PresetTable {
    static let applications: [Preset] = [
        Preset(
            name: "discord", services: "Discord Gateway (JSON)",
            source: "discord/discord-api-docs@c98d64bc developers/events/gateway.mdx",
            rule: #"""
                {"learn":[{"on":{"json":{"/op":10}},"path":"/d/heartbeat_interval","var":"hb"},
                  {"on":{"type":{"/s":"number"}},"path":"/s","var":"s"}],
                 "reply":[{"on":{"json":{"/op":1}},"send":{"body":"{\"op\":1,\"d\":${last.s|null}}"}}],
                 "beat":[{"start":{"json":{"/op":10}},"every":{"var":"hb","unit":"ms"},"first":"jitter","src":"doc",
                   "send":{"body":"{\"op\":1,\"d\":${last.s|null}}"},"ack":{"on":{"json":{"/op":11}},"within":"next_beat"},
                   "on_miss":"close code != 1000,1001 then resume"}]}
                """#),
        Preset(
            name: "discord-voice", services: "Discord voice gateway v8",
            source: "discord/discord-api-docs@c98d64bc developers/topics/voice-connections.mdx",
            rule: #"""
                {"learn":[{"on":{"json":{"/op":8}},"path":"/d/heartbeat_interval","var":"hb"},
                  {"on":{"type":{"/seq":"number"}},"path":"/seq","var":"seq"}],
                 "beat":[{"start":{"json":{"/op":8}},"every":{"var":"hb","unit":"ms"},"src":"doc",
                   "send":{"body":"{\"op\":3,\"d\":{\"t\":${unix_ms},\"seq_ack\":${last.seq|-1}}}"},
                   "ack":{"on":{"json":{"/op":6},"has":["/d/t"]},"within":"next_beat"}}]}
                """#),
        Preset(
            name: "slack-socket-mode", services: "Slack Socket Mode",
            source: "slackapi/node-slack-sdk@4322e14f packages/socket-mode/src/SlackWebSocket.ts",
            rule: #"""
                {"beat":[{"every":"5s","src":"official SDK","send":{"op":"ping","body":""},"ack":{"on":"pong_frame","within":"5s"}}],
                 "watch":[{"on":"ping_frame","within":"30s","start":"first","src":"official SDK"}]}
                """#),
        Preset(
            name: "slack-rtm", services: "Slack RTM (legacy)",
            source: "slackhq/slack-api-docs@4ddb64b index_rtm.md; slackapi/node-slack-sdk@4322e14f packages/rtm-api/src/KeepAlive.ts",
            rule: #"""
                {"learn":[{"dir":"out","on":{"type":{"/id":"number"}},"path":"/id","var":"counter"}],
                 "beat":[{"every":"6s","when":"idle_tx","src":"official SDK","send":{"body":"{\"id\":${counter},\"type\":\"ping\"}"},
                   "ack":{"on":{"has":["/reply_to"]},"at_least":{"/reply_to":"counter"},"within":"4s"}}]}
                """#),
        Preset(
            name: "twitch-irc", services: "Twitch IRC over WebSocket",
            source: "tmijs/tmi.js@3904ae7 lib/ClientBase.js; pastebin.com/KUgRWa99",
            rule: #"""
                {"frame":{"split":"\r\n"},
                 "reply":[{"on":{"word":"PING"},"take":{"arg":{"after":"PING","until":null}},"send":{"body":"PONG ${arg}"}}],
                 "beat":[{"every":"60s","src":"sdk","send":{"body":"PING"},
                   "ack":{"on":[{"prefix":":tmi.twitch.tv PONG"},{"word":"PONG"}],"within":"9999ms"}}],
                 "reconnect":{"on":[{"prefix":":tmi.twitch.tv RECONNECT"}]}}
                """#),
        Preset(
            name: "twitch-eventsub", services: "Twitch EventSub WebSocket",
            source: "dev.twitch.tv/docs/eventsub/handling-websocket-events; dev.twitch.tv/docs/eventsub/websocket-reference",
            rule: #"""
                {"learn":[{"on":{"json":{"/metadata/message_type":"session_welcome"}},"path":"/payload/session/keepalive_timeout_seconds",
                   "var":"kt"}],
                 "watch":[{"on":"any_rx","start":{"json":{"/metadata/message_type":"session_welcome"}},
                   "within":{"var":"kt","unit":"s","mul":1.2},"src":"doc x sdk leeway"}],
                 "send":"forbidden",
                 "reconnect":{"on":[{"json":{"/metadata/message_type":"session_reconnect"}}],"url":"/payload/session/reconnect_url"}}
                """#),
        Preset(
            name: "pusher", services: "Pusher Channels protocol 7 (also the Liquid exchange)",
            source: "pusher/pusher-js@f53faf9f src/core/connection/connection_manager.ts, protocol/protocol.ts",
            rule: #"""
                {"learn":[{"on":{"json":{"/event":"pusher:connection_established"}},"path":"/data/!/activity_timeout","var":"at"}],
                 "reply":[{"on":{"json":{"/event":"pusher:ping"}},"send":{"body":"{\"event\":\"pusher:pong\",\"data\":{}}"}}],
                 "beat":[{"start":{"json":{"/event":"pusher:connection_established"}},"every":{"var":"at","unit":"s","max_ms":120000},
                   "when":"idle_rx","src":"sdk","send":{"body":"{\"event\":\"pusher:ping\",\"data\":{}}"},
                   "ack":{"on":"any_rx","within":"30s"}}]}
                """#),
        Preset(
            name: "phoenix-v2", services: "Phoenix Channels v2 serializer (LiveView)",
            source: "phoenixframework/phoenix@167c46950 assets/js/phoenix/socket.js, serializer.js",
            rule: #"""
                {"learn":[{"dir":"out","on":{"type":{"/1":"string"}},"path":"/1","var":"ref_seen"}],
                 "beat":[{"every":"30s","src":"sdk","send":{"body":"[null,\"${counter}\",\"phoenix\",\"heartbeat\",{}]"},
                   "ack":{"on":{"json":{"/2":"phoenix","/3":"phx_reply"}},"equal":{"/1":"counter"},"within":"next_beat"}}]}
                """#),
        Preset(
            name: "phoenix-v1", services: "Phoenix Channels v1 serializer, Supabase Realtime",
            source: "phoenixframework/phoenix@167c46950 lib/phoenix/socket/serializers/v1_json_serializer.ex",
            rule: #"""
                {"beat":[{"every":"25s","src":"sdk (supabase)",
                   "send":{"body":"{\"topic\":\"phoenix\",\"event\":\"heartbeat\",\"payload\":{},\"ref\":\"${counter}\"}"},
                   "ack":{"on":{"json":{"/topic":"phoenix","/event":"phx_reply"}},"equal":{"/ref":"counter"},"within":"next_beat"}}]}
                """#),
        Preset(
            name: "actioncable", services: "Rails Action Cable (actioncable-v1-json)",
            source: "rails/rails@2a2db1e8d6d actioncable/app/javascript/action_cable/connection_monitor.js",
            rule: #"""
                {"watch":[{"on":"any_rx","within":"6s","start":"open","src":"official client"}]}
                """#),
        Preset(
            name: "engineio-v4", services: "Engine.IO v4 (Socket.IO 3+)",
            source: "socketio/engine.io-protocol@f21de7b README.md; socketio/socket.io@d2d753fe packages/engine.io-client",
            rule: #"""
                {"learn":[{"on":{"prefix":"0{"},"path":{"after":"\"pingInterval\":","until":",","sep":"}","index":0},"var":"pi"},
                  {"on":{"prefix":"0{"},"path":{"after":"\"pingTimeout\":","until":",","sep":"}","index":0},"var":"pt"}],
                 "reply":[{"on":{"eq":"2"},"send":{"body":"3"}}],
                 "watch":[{"on":"any_rx","start":{"prefix":"0{"},"within":{"var":"pi","unit":"ms","add_var":"pt"},"src":"doc"}]}
                """#),
        Preset(
            name: "engineio-v3", services: "Engine.IO v3 (Socket.IO 1.x/2.x)",
            source: "socketio/engine.io@3105a90 lib/socket.js; socketio/engine.io-protocol@05468d1 README.md",
            rule: #"""
                {"learn":[{"on":{"prefix":"0{"},"path":{"after":"\"pingInterval\":","until":",","sep":"}","index":0},"var":"pi"},
                  {"on":{"prefix":"0{"},"path":{"after":"\"pingTimeout\":","until":",","sep":"}","index":0},"var":"pt"}],
                 "beat":[{"start":{"prefix":"0{"},"every":{"var":"pi","unit":"ms"},"src":"doc","send":{"body":"2"},
                   "ack":{"on":{"eq":"3"},"within":{"var":"pt","unit":"ms"}}}]}
                """#),
        Preset(
            name: "sockjs", services: "SockJS (framed endpoint)",
            source: "sockjs/sockjs-protocol@fdf5b7d sockjs-protocol.py; sockjs/sockjs-client@06e6959 lib/main.js",
            parameters: [
                PresetParameter(
                    name: "timeout", unit: "s", isRequired: false,
                    doc: "How long the server may be silent: more than two of its heartbeat delays; 60 if not given.")
            ],
            rule: #"""
                {"watch":[{"on":"any_rx","within":{"var":"timeout","unit":"s","default_ms":60000},"start":{"eq":"o"},\#
                "src":"policy: > 2 x 25 s"}]}
                """#),
        Preset(
            name: "signalr-json", services: "SignalR JSON hub protocol",
            source: "dotnet/aspnetcore@0756473 src/SignalR/docs/specs/HubProtocol.md",
            rule: #"""
                {"frame":{"split":"\u001e"},
                 "beat":[{"start":{"empty":true},"every":"15s","when":"idle_tx","src":"default","send":{"body":"{\"type\":6}\u001e"}}],
                 "watch":[{"on":"any_rx","start":{"empty":true},"within":"30s","src":"default"}]}
                """#),
        Preset(
            name: "signalr-msgpack", services: "SignalR MessagePack",
            source: "dotnet/aspnetcore@0756473 src/SignalR/docs/specs/HubProtocol.md",
            rule: #"""
                {"frame":{"split":"varint"},
                 "beat":[{"every":"15s","when":"idle_tx","src":"default","send":{"op":"binary","hex":"029106"}}],
                 "watch":[{"on":{"op":"binary","hex":"9106"},"start":"first","within":"30s","src":"default"}]}
                """#),
        Preset(
            name: "stomp", services: "STOMP 1.1/1.2 over WebSocket",
            source: "stomp/stomp-spec@80f5459 src/stomp-specification-1.2.md",
            rule: #"""
                {"learn":[{"on":{"prefix":"CONNECTED"},"path":{"after":"heart-beat:","until":"\n","sep":",","index":1},"var":"sy"},
                  {"on":{"prefix":"CONNECTED"},"path":{"after":"heart-beat:","until":"\n","sep":",","index":0},"var":"sx"}],
                 "beat":[{"start":{"prefix":"CONNECTED"},"every":{"var":"sy","unit":"ms","min_ms":10000},"when":"idle_tx",
                   "src":"doc: max(cx=10000, sy)","send":{"body":"\n"}}],
                 "watch":[{"on":"any_rx","start":{"prefix":"CONNECTED"},"within":{"var":"sx","unit":"ms","min_ms":10000,"mul":2},
                   "src":"doc + stompjs 2x"}]}
                """#),
        Preset(
            name: "mqtt", services: "MQTT 3.1.1/5 over WebSocket (subprotocol mqtt)",
            source: "MQTT 3.1.1; mqttjs/MQTT.js@aa03369 src/lib/KeepaliveManager.ts; paho-mqtt paho/mqtt/client.py",
            parameters: [
                PresetParameter(
                    name: "keepalive", unit: "s", isRequired: true,
                    doc: "The keep alive that the application sends in CONNECT.")
            ],
            rule: #"""
                {"frame":{"split":"mqtt"},
                 "beat":[{"every":{"var":"keepalive","unit":"s"},"when":"idle_tx","src":"doc","send":{"op":"binary","hex":"c000"},
                   "ack":{"on":{"op":"binary","hex":"d000"},"within":{"var":"keepalive","unit":"s","mul":0.5}}}]}
                """#),
        Preset(
            name: "graphql-transport-ws", services: "graphql-transport-ws (graphql-ws)",
            source: "enisdenjo/graphql-ws@af4f5c9 PROTOCOL.md, src/client.ts, src/use/ws.ts",
            rule: #"""
                {"reply":[{"on":{"json":{"/type":"ping"}},"take":{"p":"/payload"},
                   "send":{"body":"{\"type\":\"pong\"${?p},\"payload\":${p}${/}}"}}],
                 "beat":[{"start":{"json":{"/type":"connection_ack"}},"every":"20s","src":"policy","send":{"body":"{\"type\":\"ping\"}"},
                   "ack":{"on":{"json":{"/type":"pong"}},"within":"10s"}}]}
                """#),
        Preset(
            name: "graphql-ws-legacy", services: "subscriptions-transport-ws (subprotocol graphql-ws)",
            source: "apollographql/subscriptions-transport-ws@36f3f6f PROTOCOL.md",
            parameters: [
                PresetParameter(
                    name: "timeout", unit: "s", isRequired: false,
                    doc: "How long a keep-alive may stay out: more than two of the server's keepAlive; 30 if not given.")
            ],
            rule: #"""
                {"watch":[{"on":{"json":{"/type":"ka"}},"start":"first","within":{"var":"timeout","unit":"s","default_ms":30000},\#
                "src":"policy"}]}
                """#),
        Preset(
            name: "appsync", services: "AWS AppSync real-time",
            source: "aws-amplify/amplify-js@36e3ce1998 packages/api-graphql/src/Providers/AWSWebSocketProvider/index.ts",
            rule: #"""
                {"learn":[{"on":{"json":{"/type":"connection_ack"}},"path":"/payload/connectionTimeoutMs","var":"ct"},
                  {"on":{"json":{"/type":"connection_ack"}},"path":"/connectionTimeoutMs","var":"ct"}],
                 "watch":[{"on":"any_rx","start":{"json":{"/type":"connection_ack"}},"within":{"var":"ct","unit":"ms","default_ms":300000},
                   "src":"doc in-band"}]}
                """#),
        Preset(
            name: "wamp", services: "WAMP over WebSocket (Autobahn)",
            source: "crossbario/autobahn-python@e9eebbe6 src/autobahn/websocket/protocol.py",
            rule: #"""
                {"beat":[{"every":"30s","src":"policy","send":{"op":"ping","body":""},"ack":{"on":"pong_frame","within":"10s"}}]}
                """#),
        Preset(
            name: "centrifugo", services: "Centrifugo / Centrifuge (JSON, newline-delimited)",
            source: "centrifugal/centrifuge-js@c9e8678 src/centrifuge.ts, src/json.ts",
            rule: #"""
                {"frame":{"split":"\n"},
                 "learn":[{"on":{"has":["/connect/ping"]},"path":"/connect/ping","var":"pi"}],
                 "reply":[{"on":{"empty":true},"send":{"body":"{}"}}],
                 "watch":[{"on":"any_rx","start":{"has":["/connect/ping"]},"within":{"var":"pi","unit":"s","add_ms":10000},"src":"doc"}]}
                """#),
        Preset(
            name: "nostr", services: "Nostr relays",
            source: "scsibug/nostr-rs-relay@64cfcaf src/server.rs, config.toml",
            rule: #"""
                {"beat":[{"every":"60s","src":"policy","send":{"op":"ping","body":""},"ack":{"on":"pong_frame","within":"20s"}}],
                 "watch":[{"on":"ping_frame","start":"first","within":"20m","src":"policy"}]}
                """#),
        Preset(
            name: "home-assistant", services: "Home Assistant WebSocket API",
            source: "home-assistant/developers.home-assistant@186ad0639 docs/api/websocket.md",
            rule: #"""
                {"learn":[{"dir":"out","on":{"type":{"/id":"number"}},"path":"/id","var":"counter"}],
                 "beat":[{"start":{"json":{"/type":"auth_ok"}},"every":"30s","src":"policy",
                   "send":{"body":"{\"id\":${counter},\"type\":\"ping\"}"},
                   "ack":{"on":{"json":{"/type":"pong"}},"equal":{"/id":"counter"},"within":"10s"}}]}
                """#),
        Preset(
            name: "mattermost", services: "Mattermost",
            source: "mattermost/mattermost-mobile@06ed862d22 app/client/websocket/index.ts",
            rule: #"""
                {"learn":[{"dir":"out","on":{"type":{"/seq":"number"}},"path":"/seq","var":"counter"}],
                 "beat":[{"start":{"json":{"/event":"hello"}},"first":"now","every":"30s","src":"official client",
                   "send":{"body":"{\"action\":\"ping\",\"seq\":${counter}}"},
                   "ack":{"on":{"json":{"/data/text":"pong"}},"equal":{"/seq_reply":"counter"},"within":"next_beat"}}]}
                """#),
        Preset(
            name: "jupyter", services: "Jupyter Server kernels",
            source: "jupyter-server/jupyter_server@9a4d6eea2 jupyter_server/base/websocket.py",
            parameters: [
                PresetParameter(
                    name: "timeout", unit: "s", isRequired: false,
                    doc: "How long a ping may stay out: three of the server's ws_ping_interval; 90 if not given.")
            ],
            rule: #"""
                {"watch":[{"on":"ping_frame","start":"open","within":{"var":"timeout","unit":"s","default_ms":90000},"src":"server code"}]}
                """#),
        Preset(
            name: "xmpp", services: "XMPP over WebSocket (RFC 7395) with XEP-0199",
            source: "XEP-0199; RFC 7395",
            rule: #"""
                {"beat":[{"every":"60s","when":"idle_rx","src":"policy",
                   "send":{"body":"<iq xmlns='jabber:client' id='hw-${counter}' type='get'><ping xmlns='urn:xmpp:ping'/></iq>"},
                   "ack":{"on":"any_rx","within":"20s"}}]}
                """#),
        Preset(
            name: "ably", services: "Ably Realtime",
            source: "ably/ably-js@7fa7dc59 src/common/lib/transport/transport.ts, connectionmanager.ts",
            rule: #"""
                {"learn":[{"on":{"json":{"/action":4}},"path":"/connectionDetails/maxIdleInterval","var":"mi"}],
                 "watch":[{"on":"any_rx","start":{"json":{"/action":4}},"within":{"var":"mi","unit":"ms","add_ms":10000},"src":"sdk"}],
                 "beat":[{"start":{"json":{"/action":4}},"every":"60s","src":"policy (ping() is on demand)",
                   "send":{"body":"{\"action\":0,\"id\":\"${rand}\"}"},
                   "ack":{"on":{"json":{"/action":0}},"equal":{"/id":"rand"},"within":"10s"}}]}
                """#),
        Preset(
            name: "lightstreamer", services: "Lightstreamer TLCP over WebSocket",
            source: "Lightstreamer/Lightstreamer-lib-client-haxe@7ae3412 .../client/internal/ClientMachine.hx",
            parameters: [
                PresetParameter(
                    name: "rhb", unit: "ms", isRequired: false,
                    doc: "The reverse heartbeat that the application announced as LS_inactivity_millis; no beats are sent if not given.")
            ],
            rule: #"""
                {"frame":{"split":"\r\n"},
                 "learn":[{"on":{"prefix":"CONOK,"},"path":{"after":"CONOK,","until":"\r","sep":",","index":2},"var":"ka"}],
                 "beat":[{"start":{"prefix":"CONOK,"},"every":{"var":"rhb","unit":"ms"},"when":"idle_tx","src":"app option",
                   "send":{"body":"heartbeat\r\n\r\n"}}],
                 "watch":[{"on":"any_rx","start":{"prefix":"CONOK,"},"within":{"var":"ka","unit":"ms","add_ms":3000},
                   "src":"sdk-like (stalled allowance)"}]}
                """#),
        Preset(
            name: "kubernetes", services: "Kubernetes exec/attach/port-forward over WebSocket (v5.channel.k8s.io)",
            source: "kubernetes/client-go@32ce75a7d tools/remotecommand/websocket.go",
            rule: #"""
                {"beat":[{"every":"5s","src":"client-go","send":{"op":"ping","body":""}}],
                 "watch":[{"on":"pong_frame","start":"open","within":"61s","src":"client-go"}]}
                """#),
        Preset(
            name: "cdp-obs", services: "Chrome DevTools Protocol, OBS WebSocket v5",
            source: "obsproject/obs-websocket@032c9933 docs/generated/protocol.md",
            rule: #"""
                {"beat":[{"every":"30s","src":"policy","send":{"op":"ping","body":""},"ack":{"on":"pong_frame","within":"10s"}}]}
                """#),
        Preset(
            name: "meteor-ddp", services: "Meteor DDP (Rocket.Chat)",
            source: "meteor/meteor@024061123a packages/ddp/DDP.md",
            rule: #"""
                {"reply":[{"on":{"json":{"/msg":"ping"}},"take":{"id":"/id"},"send":{"body":"{\"msg\":\"pong\"${?id},\"id\":${id}${/}}"}}],
                 "beat":[{"start":{"json":{"/msg":"connected"}},"every":"17500ms","when":"idle_rx","src":"official client",
                   "send":{"body":"{\"msg\":\"ping\"}"},"ack":{"on":"any_rx","within":"15s"}}]}
                """#),
        Preset(
            name: "firebase-rtdb", services: "Firebase Realtime Database",
            source: "firebase/firebase-js-sdk@6f865964ba packages/database/src/realtime/WebSocketConnection.ts",
            rule: #"""
                {"beat":[{"every":"45s","when":"idle_any","src":"official SDK","send":{"body":"0"}}]}
                """#),
        Preset(
            name: "tradingview", services: "TradingView data socket (unofficial client)",
            source: "Mathieu2301/TradingView-API@5baea86 src/protocol.js, src/client.js",
            rule: #"""
                {"frame":{"split":"tv"},
                 "reply":[{"on":{"prefix":"~h~"},"send":{"body":"${payload}","wrap":"tv"}}]}
                """#),
        Preset(
            name: "jellyfin", services: "Jellyfin, Emby",
            source: "jellyfin/jellyfin-apiclient-python@b2ec0a9 jellyfin_apiclient_python/ws_client.py, keepalive.py",
            rule: #"""
                {"learn":[{"on":{"json":{"/MessageType":"ForceKeepAlive"}},"path":"/Data","var":"d"}],
                 "reply":[{"on":{"json":{"/MessageType":"ForceKeepAlive"}},"send":{"body":"{\"MessageType\":\"KeepAlive\"}"}}],
                 "beat":[{"start":{"json":{"/MessageType":"ForceKeepAlive"}},"every":{"var":"d","unit":"s","mul":0.5},"src":"sdk",
                   "send":{"body":"{\"MessageType\":\"KeepAlive\"}"}}]}
                """#),
        Preset(
            name: "elevenlabs", services: "ElevenLabs Conversational AI",
            source: "elevenlabs/elevenlabs-python@54e58995 src/elevenlabs/conversational_ai/conversation.py",
            rule: #"""
                {"reply":[{"on":{"json":{"/type":"ping"},"has":["/ping_event/event_id"]},"take":{"id":"/ping_event/event_id"},
                   "send":{"body":"{\"type\":\"pong\",\"event_id\":${id}}"}}]}
                """#),
        Preset(
            name: "deepgram", services: "Deepgram listen/agent",
            source: "deepgram/deepgram-python-sdk@7da415d src/deepgram/listen/v1/socket_client.py, agent/v1/socket_client.py",
            rule: #"""
                {"beat":[{"every":"5s","when":"idle_tx","src":"sdk notes","send":{"body":"{\"type\":\"KeepAlive\"}"}}]}
                """#),
        Preset(
            name: "nakama", services: "Nakama",
            source: "heroiclabs/nakama-js@073c9b6 packages/nakama-js/socket.ts",
            rule: #"""
                {"beat":[{"first":"now","every":"10s","src":"official SDK","send":{"body":"{\"ping\":{},\"cid\":\"${counter}\"}"},
                   "ack":{"on":{"has":["/cid"]},"equal":{"/cid":"counter"},"within":"10s"}}]}
                """#),
        Preset(
            name: "revolt", services: "Revolt, Stoat",
            source: "revoltchat/revolt.js@d07bc417 src/events/EventClient.ts",
            rule: #"""
                {"reply":[{"on":{"json":{"/type":"Ping"},"has":["/data"]},"take":{"d":"/data"},
                   "send":{"body":"{\"type\":\"Pong\",\"data\":${d}}"}}],
                 "beat":[{"every":"30s","src":"official SDK","send":{"body":"{\"type\":\"Ping\",\"data\":${unix_ms}}"},
                   "ack":{"on":{"json":{"/type":"Pong"}},"within":"10s"}}]}
                """#),
        Preset(
            name: "guacamole", services: "Apache Guacamole WebSocket tunnel",
            source: "apache/guacamole-client@5be18be1e guacamole-common-js/src/main/webapp/modules/Tunnel.js",
            rule: #"""
                {"beat":[{"every":"500ms","src":"official client","send":{"body":"0.,4.ping,13.${unix_ms};"},
                   "ack":{"on":{"prefix":"0.,4.ping,"},"within":"15s"}}]}
                """#),
        Preset(
            name: "ocpp", services: "OCPP-J 1.6 / 2.0.1 (charge point side)",
            source: "mobilityhouse/ocpp@b0e0b07 ocpp/messages.py",
            rule: #"""
                {"learn":[{"on":{"json":{"/0":3,"/2/status":"Accepted"},"has":["/2/interval"]},"path":"/2/interval","var":"iv"}],
                 "beat":[{"start":{"json":{"/0":3,"/2/status":"Accepted"},"has":["/2/interval"]},"every":{"var":"iv","unit":"s"},
                   "src":"doc in-band","send":{"body":"[2,\"${uuid}\",\"Heartbeat\",{}]"},
                   "ack":{"on":{"json":{"/0":3}},"equal":{"/1":"uuid"},"within":"30s"}}]}
                """#),
    ]
}
