// Brokers and market data.

extension PresetTable {
    static let marketData: [Preset] = [
        Preset(
            name: "alpaca", services: "Alpaca trading + market data streams",
            source: "alpacahq/alpaca-py@bd1fa9e alpaca/data/live/websocket.py, alpaca/trading/stream.py",
            rule: #"""
                {"beat":[{"every":"10s","src":"official SDK","send":{"op":"ping","body":""},"ack":{"on":"pong_frame","within":"180s"}}]}
                """#),
        Preset(
            name: "polygon", services: "Polygon, Massive",
            source: "polygon-io/client-python@5d9c756 massive/websocket/*",
            rule: #"""
                {"beat":[{"every":"20s","src":"policy","send":{"op":"ping","body":""},"ack":{"on":"pong_frame","within":"20s"}}]}
                """#),
        Preset(
            name: "ibkr-cp", services: "Interactive Brokers Client Portal / Web API /v1/api/ws",
            source: "events.apis.io/channels/interactive-brokers/tic and /system; Voyz/ibind@a3d8fe1 ibind/client/ibkr_ws_client.py",
            rule: #"""
                {"beat":[{"every":"45s","src":"sdk (ibind 45 s)","send":{"body":"tic"},"ack":{"on":{"json":{"/topic":"tic"}},\#
                "within":"15s"}}],
                 "watch":[{"on":{"json":{"/topic":"system"},"has":["/hb"]},"within":"60s","start":"first","src":"policy: 6 x 10 s"}]}
                """#),
        Preset(
            name: "tradier", services: "Tradier",
            source: "docs.tradier.com/reference/streaming; asyncapi.apis.io/asyncapis/tradier/tradier-asyncapi",
            rule: #"""
                {"watch":[{"on":"any_rx","within":"15m","start":"open","src":"policy"}]}
                """#),
        Preset(
            name: "zerodha-kite", services: "Zerodha Kite Connect ticker",
            source: "kite.trade/docs/connect/v3/websocket; zerodha/pykiteconnect@f5531bd kiteconnect/ticker.py",
            rule: #"""
                {"watch":[{"on":{"op":"binary","len":1},"within":"15s","start":"first","src":"policy"},
                  {"on":"any_rx","within":"15s","start":"open","src":"policy"}]}
                """#),
        Preset(
            name: "angelone-v2", services: "Angel One SmartStream v2",
            source: "angel-one/smartapi-javascript@06b091f lib/websocket2.0.js, config/constant.js",
            rule: #"""
                {"beat":[{"every":"10s","src":"official SDK","send":{"body":"ping"},"ack":{"on":{"eq":"pong"},"within":"10s"}}],
                 "watch":[{"on":"any_rx","within":"20s","start":"open","src":"official SDK"}]}
                """#),
        Preset(
            name: "angelone-hb", services: "Angel One legacy feeds",
            source: "angel-one/smartapi-python@ff60852 SmartApi/webSocket.py, SmartApi/smartApiWebsocket.py",
            parameters: [
                PresetParameter(name: "token", unit: "text", isRequired: true, doc: "The feed token of the session."),
                PresetParameter(name: "user", unit: "text", isRequired: true, doc: "The client code."),
            ],
            rule: #"""
                {"beat":[{"every":"60s","src":"official SDK",
                   "send":{"body":"{\"task\":\"hb\",\"channel\":\"\",\"token\":\"${last.token}\",\"user\":\"${last.user}\",\#
                \"acctid\":\"${last.user}\"}"}}]}
                """#),
        Preset(
            name: "upstox", services: "Upstox",
            source: "community.upstox.com/t/websocket-heartbeat-or-ping/3976/7",
            rule: #"""
                {"watch":[{"on":"ping_frame","within":"120s","start":"first","src":"policy"}]}
                """#),
        Preset(
            name: "schwab", services: "Charles Schwab streamer",
            source: "alexgolec/schwab-py@a55cb29 schwab/streaming.py",
            rule: #"""
                {"watch":[{"on":{"has":["/notify/0/heartbeat"]},"within":"60s","start":"first","src":"policy"}]}
                """#),
        Preset(
            name: "dxlink", services: "dxFeed dxLink (tastytrade quotes)",
            source: "dxFeed/dxLink@ed4b347 dxlink-specification/asyncapi.yml; tastyware/tastytrade@02bb764 tastytrade/streamer.py",
            parameters: [
                PresetParameter(
                    name: "keepalive_timeout", unit: "s", isRequired: false,
                    doc: "keepaliveTimeout as the application sends it in its own SETUP; 60 if not given.")
            ],
            rule: #"""
                {"learn":[{"on":{"json":{"/type":"SETUP"}},"path":"/keepaliveTimeout","var":"kt"}],
                 "beat":[{"start":{"json":{"/type":"SETUP"}},"every":{"var":"kt","unit":"s","mul":0.5},"when":"idle_tx",
                   "src":"doc timeout / 2","send":{"body":"{\"type\":\"KEEPALIVE\",\"channel\":0}"}}],
                 "watch":[{"on":"any_rx","within":{"var":"keepalive_timeout","unit":"s","default_ms":60000},"start":"open",
                   "src":"doc: own keepaliveTimeout"}]}
                """#),
    ]
}
