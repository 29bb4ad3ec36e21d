// Crypto exchanges.

extension PresetTable {
    static let exchanges: [Preset] = [
        Preset(
            name: "deribit", services: "Deribit (JSON-RPC v2)",
            source: "docs.deribit.com/api-reference/session-management/public-set_heartbeat",
            parameters: [
                PresetParameter(
                    name: "interval", unit: "s", isRequired: false,
                    doc: "Time between the heartbeats that the server is asked for, at least 10; 30 if not given.")
            ],
            rule: #"""
                {"setup":[{"on":"open",
                   "send":{"body":"{\"jsonrpc\":\"2.0\",\"id\":${counter},\"method\":\"public/set_heartbeat\",\#
                \"params\":{\"interval\":${last.interval|30}}}"}}],
                 "reply":[{"on":{"json":{"/method":"heartbeat","/params/type":"test_request"}},
                   "send":{"body":"{\"jsonrpc\":\"2.0\",\"id\":${counter},\"method\":\"public/test\",\"params\":{}}"}}],
                 "watch":[{"on":{"json":{"/method":"heartbeat"}},"within":{"var":"interval","unit":"s","mul":2,"default_ms":60000},
                   "start":"first","src":"policy: 2 x interval"}]}
                """#),
        Preset(
            name: "binance-spot", services: "Binance spot streams, WebSocket API, user data and SBE streams",
            source: "binance/binance-spot-api-docs@a5e0bc3 web-socket-streams.md",
            rule: #"""
                {"reply_frame":"pong echoes ping (RFC 6455 5.5.3, always on)",
                 "watch":[{"on":"ping_frame","within":"60s","start":"open","src":"policy: 3 x documented 20 s"}],
                 "reconnect":{"max_age":"24h","on":[{"json":{"/e":"serverShutdown"}},{"json":{"/data/e":"serverShutdown"}}],
                  "attempts":"300/5m/IP"}}
                """#),
        Preset(
            name: "binance-usdm", services: "Binance USD-M futures market streams",
            source: "developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams",
            rule: #"""
                {"watch":[{"on":"ping_frame","within":"9m","start":"open","src":"policy: 3 x 3 min"}],
                 "reconnect":{"max_age":"24h"}}
                """#),
        Preset(
            name: "binance-wsapi-ping", services: "Binance WebSocket API ping method",
            source: "binance/binance-spot-api-docs@a5e0bc3 web-socket-api.md",
            rule: #"""
                {"beat":[{"every":"60s","src":"policy","send":{"body":"{\"id\":\"${uuid}\",\"method\":\"ping\"}"},
                   "ack":{"on":{"json":{"/status":200}},"equal":{"/id":"uuid"},"within":"10s"}}]}
                """#),
        Preset(
            name: "kraken-v1", services: "Kraken spot WebSocket v1",
            source: "docs.kraken.com/exchange/api-reference/spot-websocket-v1/heartbeat",
            rule: #"""
                {"beat":[{"every":"10s","when":"idle_rx","src":"sdk","send":{"body":"{\"event\":\"ping\",\"reqid\":${counter}}"},
                   "ack":{"on":{"json":{"/event":"pong"}},"equal":{"/reqid":"counter"},"within":"5s"}}],
                 "watch":[{"on":"any_rx","within":"20s","start":"open","src":"policy"}]}
                """#),
        Preset(
            name: "kraken-v2", services: "Kraken spot WebSocket v2",
            source: "docs.kraken.com/exchange/api-reference/spot-websocket-v2/heartbeat",
            rule: #"""
                {"beat":[{"every":"30s","src":"policy","send":{"body":"{\"method\":\"ping\",\"req_id\":${counter}}"},
                   "ack":{"on":{"json":{"/method":"pong"}},"equal":{"/req_id":"counter"},"within":"10s"}}],
                 "watch":[{"on":"any_rx","within":"10s","start":{"json":{"/channel":"heartbeat"}},"src":"policy"}]}
                """#),
        Preset(
            name: "kraken-futures", services: "Kraken futures",
            source: "docs.kraken.com/api/docs/futures-api/websocket/heartbeat; support.kraken.com/hc/en-us/articles/360022635632",
            rule: #"""
                {"setup":[{"on":"open","send":{"body":"{\"event\":\"subscribe\",\"feed\":\"heartbeat\"}"}}],
                 "beat":[{"every":"30s","src":"policy (doc: < 60 s)","send":{"op":"ping","body":""},"ack":{"on":"pong_frame",\#
                "within":"10s"}}],
                 "watch":[{"on":{"json":{"/feed":"heartbeat"},"has":["/time"]},"within":"60s","start":"first","src":"policy"}]}
                """#),
        Preset(
            name: "coinbase-exchange", services: "Coinbase Exchange feed, heartbeat channel",
            source: "skip-mev/connect@9f856057 providers/websockets/coinbase/messages.go",
            parameters: [
                PresetParameter(
                    name: "product", unit: "text", isRequired: false,
                    doc: "The product whose heartbeats are subscribed, such as ETH-USD; BTC-USD if not given.")
            ],
            rule: #"""
                {"setup":[{"on":"open",
                   "send":{"body":"{\"type\":\"subscribe\",\"product_ids\":[\"${last.product|BTC-USD}\"],\"channels\":[\"heartbeat\"]}"}}],
                 "watch":[{"on":{"json":{"/type":"heartbeat"}},"within":"10s","start":"first","src":"policy: 10 x 1 s"}]}
                """#),
        Preset(
            name: "coinbase-advanced", services: "Coinbase Advanced Trade, heartbeats channel",
            source: "docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels",
            rule: #"""
                {"setup":[{"on":"open","send":{"body":"{\"type\":\"subscribe\",\"channel\":\"heartbeats\"}"}}],
                 "watch":[{"on":{"json":{"/channel":"heartbeats"},"has":["/events/0/heartbeat_counter"]},"within":"10s","start":"first",
                   "src":"policy: 10 x 1 s"}]}
                """#),
        Preset(
            name: "okx", services: "OKX v5",
            source: "www.okx.com/docs-v5; nautechsystems/nautilus_trader@a95c8042b0 crates/adapters/okx/src/websocket/handler.rs",
            rule: #"""
                {"reply":[{"on":{"eq":"ping"},"send":{"body":"pong"},"src":"sdk (nautilus)"}],
                 "beat":[{"every":"25s","when":"idle_rx","src":"doc: N < 30","send":{"body":"ping"},"ack":{"on":{"eq":"pong"},\#
                "within":"25s"}}]}
                """#),
        Preset(
            name: "bybit-v5", services: "Bybit v5 (public, private, trade)",
            source: "bybit-exchange/docs@072c197d0 docs/v5/websocket/wss-authentication.mdx",
            rule: #"""
                {"beat":[{"every":"20s","src":"doc","send":{"body":"{\"op\":\"ping\"}"},
                   "ack":{"on":[{"json":{"/ret_msg":"pong"}},{"json":{"/op":"pong"}}],"within":"10s"}}]}
                """#),
        Preset(
            name: "htx-v1", services: "HTX (Huobi) market data, /ws and /feed",
            source: "HTX spot API documentation; HuobiRDCenter/huobi_Python@7d66d88 huobi/connection/impl/websocket_manage.py",
            rule: #"""
                {"frame":{"decode":["gzip"]},
                 "reply":[{"on":{"op":"binary","type":{"/ping":"number"}},"take":{"n":"/ping"},"send":{"body":"{\"pong\":${n}}"}}],
                 "watch":[{"on":{"op":"binary","has":["/ping"]},"within":"20s","start":"open","src":"policy: 4 x 5 s"}]}
                """#),
        Preset(
            name: "htx-v2", services: "HTX account/order push /ws/v2",
            source: "HTX spot API documentation; HuobiRDCenter/huobi_Python@7d66d88 huobi/connection/impl/websocket_manage.py",
            rule: #"""
                {"reply":[{"on":{"json":{"/action":"ping"},"has":["/data/ts"]},"take":{"ts":"/data/ts"},
                   "send":{"body":"{\"action\":\"pong\",\"data\":{\"ts\":${ts}}}"}}],
                 "watch":[{"on":{"json":{"/action":"ping"}},"within":"60s","start":"open","src":"policy: 3 x 20 s"}]}
                """#),
        Preset(
            name: "htx-op", services: "HTX derivatives order push (op style)",
            source: "ccxt 4.5.90 ccxt/pro/htx.py; tardis-dev/tardis-node@c1d73fb src/realtimefeeds/huobi.ts",
            rule: #"""
                {"frame":{"decode":["gzip"]},
                 "reply":[{"on":{"op":"any","json":{"/op":"ping"},"has":["/ts"]},"take":{"ts":"/ts"},
                   "send":{"body":"{\"op\":\"pong\",\"ts\":${ts}}"}}]}
                """#),
        Preset(
            name: "kucoin", services: "KuCoin spot and futures",
            source: "Kucoin/kucoin-api-docs@7f01bbe source/localizable/index.html.md; ccxt 4.5.90 ccxt/pro/kucoin.py",
            parameters: [
                PresetParameter(
                    name: "ping_interval", unit: "ms", isRequired: true,
                    doc: "pingInterval of the answer to the HTTP request for a token, such as 18000."),
                PresetParameter(
                    name: "ping_timeout", unit: "ms", isRequired: false,
                    doc: "pingTimeout of the same answer; 10000 if not given."),
            ],
            rule: #"""
                {"beat":[{"start":{"json":{"/type":"welcome"}},"every":{"var":"ping_interval","unit":"ms"},
                   "src":"doc: HTTP token response, passed as parameter","send":{"body":"{\"id\":\"${unix_ms}\",\"type\":\"ping\"}"},
                   "ack":{"on":{"json":{"/type":"pong"}},"within":{"var":"ping_timeout","unit":"ms","default_ms":10000}}}]}
                """#),
        Preset(
            name: "bitfinex", services: "Bitfinex v2",
            source: "docs.bitfinex.com/docs/ws-general; bitfinexcom/bitfinex-api-node@35ec5e8 lib/transports/ws2.js",
            rule: #"""
                {"beat":[{"every":"30s","when":"idle_rx","src":"policy","send":{"body":"{\"event\":\"ping\",\"cid\":${counter}}"},
                   "ack":{"on":{"json":{"/event":"pong"}},"equal":{"/cid":"counter"},"within":"10s"}}],
                 "watch":[{"on":{"json":{"/1":"hb"}},"within":"45s","start":"first","src":"policy: 3 x 15 s"}]}
                """#),
        Preset(
            name: "gate", services: "Gate.io v4 spot",
            source: "Gate API v4 WebSocket documentation; tiagosiebler/gateio-api@fe0d82c src/WebsocketClient.ts",
            rule: #"""
                {"beat":[{"every":"20s","src":"policy","send":{"body":"{\"time\":${unix_s},\"channel\":\"spot.ping\"}"},
                   "ack":{"on":{"json":{"/channel":"spot.pong"}},"within":"10s"}}],
                 "reconnect":{"on":[{"json":{"/type":"upgrade"}}]}}
                """#),
        Preset(
            name: "gate-futures", services: "Gate.io v4 futures",
            source: "Gate API v4 WebSocket documentation; tiagosiebler/gateio-api@fe0d82c src/WebsocketClient.ts",
            rule: #"""
                {"beat":[{"every":"20s","src":"policy","send":{"body":"{\"time\":${unix_s},\"channel\":\"futures.ping\"}"},
                   "ack":{"on":{"json":{"/channel":"futures.pong"}},"within":"10s"}}],
                 "reconnect":{"on":[{"json":{"/type":"upgrade"}}]}}
                """#),
        Preset(
            name: "gate-options", services: "Gate.io v4 options",
            source: "Gate API v4 WebSocket documentation; tiagosiebler/gateio-api@fe0d82c src/WebsocketClient.ts",
            rule: #"""
                {"beat":[{"every":"20s","src":"policy","send":{"body":"{\"time\":${unix_s},\"channel\":\"options.ping\"}"},
                   "ack":{"on":{"json":{"/channel":"options.pong"}},"within":"10s"}}],
                 "reconnect":{"on":[{"json":{"/type":"upgrade"}}]}}
                """#),
        Preset(
            name: "bitget", services: "Bitget v1/v2/v3",
            source: "BitgetLimited/v3-bitget-api-sdk@9bdab50 bitget-golang-sdk-api/internal/common/bitgetwsclient.go",
            rule: #"""
                {"beat":[{"every":"15s","src":"official SDK","send":{"body":"ping"},"ack":{"on":{"eq":"pong"},"within":"10s"}}]}
                """#),
        Preset(
            name: "bitmex", services: "BitMEX",
            source: "BitMEX WebSocket API documentation; BitMEX/api-connectors@9f8f5e69 official-ws/nodejs/README.md",
            rule: #"""
                {"beat":[{"every":"5s","when":"idle_rx","src":"doc","send":{"body":"ping"},"ack":{"on":{"eq":"pong"},"within":"5s"}}]}
                """#),
        Preset(
            name: "bitstamp", services: "Bitstamp v2",
            source: "skip-mev/connect@9f856057 providers/websockets/bitstamp/messages.go",
            rule: #"""
                {"beat":[{"every":"10s","src":"sdk","send":{"body":"{\"event\":\"bts:heartbeat\"}"},
                   "ack":{"on":{"json":{"/event":"bts:heartbeat"}},"within":"10s"}}],
                 "reconnect":{"on":[{"json":{"/event":"bts:request_reconnect"}}]}}
                """#),
        Preset(
            name: "gemini", services: "Gemini v1 market data (?heartbeat=true) and order events",
            source: "ccxt 4.5.90 ccxt/pro/gemini.py; altangent/ccxws@50ec03d src/exchanges/Geminiclient.ts",
            rule: #"""
                {"watch":[{"on":{"json":{"/type":"heartbeat"}},"within":"15s","start":"first","src":"policy: 3 x 5 s"}]}
                """#),
        Preset(
            name: "mexc-spot", services: "MEXC spot v3",
            source: "www.mexc.in/api-docs/spot-v3/websocket-market-streams; tardis-dev/tardis-node@c1d73fb src/realtimefeeds/mexc.ts",
            rule: #"""
                {"beat":[{"every":"20s","src":"sdk","send":{"body":"{\"method\":\"PING\"}"},
                   "ack":{"on":{"json":{"/msg":"PONG"}},"within":"10s"}}],
                 "reconnect":{"max_age":"24h"}}
                """#),
        Preset(
            name: "mexc-futures", services: "MEXC futures",
            source: "www.mexc.com/api-docs/futures/websocket-api/command-details-for-data-exchange",
            rule: #"""
                {"beat":[{"every":"15s","src":"doc","send":{"body":"{\"method\":\"ping\"}"},
                   "ack":{"on":{"json":{"/channel":"pong"}},"within":"10s"}}]}
                """#),
        Preset(
            name: "bingx-spot", services: "BingX spot market",
            source: "bingx-api.github.io/docs/zh-hk/spot/socket.html; ccxt 4.5.90 ccxt/pro/bingx.py",
            rule: #"""
                {"frame":{"decode":["gzip"]},
                 "reply":[{"on":{"op":"any","type":{"/ping":"string"}},"take":{"p":"/ping","t":"/time"},
                   "send":{"body":"{\"pong\":${p}${?t},\"time\":${t}${/}}"}}],
                 "watch":[{"on":{"op":"any","has":["/ping"]},"within":"20s","start":"open","src":"policy: 4 x 5 s"}]}
                """#),
        Preset(
            name: "bingx-swap", services: "BingX perpetual",
            source: "bingx-api.github.io/docs/swap/socket.html; ccxt 4.5.90 ccxt/pro/bingx.py",
            rule: #"""
                {"frame":{"decode":["gzip"]},
                 "reply":[{"on":{"op":"any","eq":"Ping"},"send":{"body":"Pong"}}],
                 "watch":[{"on":{"op":"any","eq":"Ping"},"within":"20s","start":"open","src":"policy"}]}
                """#),
        Preset(
            name: "dydx-v4", services: "dYdX v4 indexer",
            source: "dydxprotocol/v4-chain@84d4664ba indexer/services/socks/src/websocket/index.ts, config.ts",
            rule: #"""
                {"watch":[{"on":"ping_frame","within":"90s","start":"open","src":"policy: 3 x 30 s"}]}
                """#),
        Preset(
            name: "hyperliquid", services: "Hyperliquid",
            source: "hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/timeouts-and-heartbeats",
            rule: #"""
                {"beat":[{"every":"50s","when":"idle_rx","src":"doc+sdk","send":{"body":"{\"method\":\"ping\"}"},
                   "ack":{"on":{"json":{"/channel":"pong"}},"within":"10s"}}]}
                """#),
        Preset(
            name: "phemex", services: "Phemex",
            source: "phemex/phemex-api-docs@2f54a92 Public-Hedged-Perpetual-API.md",
            rule: #"""
                {"beat":[{"every":"5s","src":"doc","send":{"body":"{\"id\":${counter},\"method\":\"server.ping\",\"params\":[]}"},
                   "ack":{"on":{"json":{"/result":"pong"}},"equal":{"/id":"counter"},"within":"10s"}}],
                 "watch":[{"on":"any_rx","within":"15s","start":"open","src":"doc: 3 intervals"}]}
                """#),
        Preset(
            name: "cryptocom", services: "Crypto.com Exchange v1",
            source: "DigitalRuby/ExchangeSharp@454ed970 src/ExchangeSharp/API/Exchanges/Crypto.com; ccxt 4.5.90 ccxt/pro/cryptocom.py",
            rule: #"""
                {"reply":[{"on":{"json":{"/method":"public/heartbeat"},"has":["/id"]},"take":{"id":"/id"},
                   "send":{"body":"{\"id\":${id},\"method\":\"public/respond-heartbeat\"}"}}],
                 "watch":[{"on":{"json":{"/method":"public/heartbeat"}},"within":"65s","start":"open","src":"policy: 2 x 30 s + 5"}]}
                """#),
        Preset(
            name: "whitebit", services: "WhiteBIT",
            source: "whitebit-exchange/api-docs@fc21786 pages/public/websocket.mdx",
            rule: #"""
                {"beat":[{"every":"50s","when":"idle_tx","src":"doc","send":{"body":"{\"id\":0,\"method\":\"ping\",\"params\":[]}"},
                   "ack":{"on":{"json":{"/result":"pong"}},"within":"10s"}}]}
                """#),
        Preset(
            name: "upbit", services: "Upbit",
            source: "docs-e.upbit.com/reference/connection; global-docs.upbit.com/reference/connection-management-compression",
            rule: #"""
                {"beat":[{"every":"60s","src":"policy (< 120 s)","send":{"body":"PING"},"ack":{"on":{"json":{"/status":"UP"}},\#
                "within":"15s"}}],
                 "watch":[{"on":{"json":{"/status":"UP"}},"within":"30s","start":"first","src":"policy: 3 x 10 s"}]}
                """#),
        Preset(
            name: "bithumb", services: "Bithumb (ws-api.bithumb.com)",
            source: "apidocs.bithumb.com; ccxt 4.5.90 ccxt/pro/bithumb.py",
            rule: #"""
                {"beat":[{"every":"60s","src":"policy (< 120 s)","send":{"body":"PING"},"ack":{"on":{"json":{"/status":"UP"}},\#
                "within":"15s"}}]}
                """#),
        Preset(
            name: "lbank", services: "LBank",
            source: "ccxt 4.5.90 ccxt/pro/lbank.py",
            rule: #"""
                {"reply":[{"on":{"json":{"/action":"ping"},"has":["/ping"]},"take":{"p":"/ping"},
                   "send":{"body":"{\"action\":\"pong\",\"pong\":${p}}"}}]}
                """#),
        Preset(
            name: "orderly-woo", services: "Orderly, WOO X",
            source: "orderly.network/docs/build-on-omnichain/evm-api/websocket-api/ping-pong; ccxt 4.5.90 ccxt/pro/woo.py",
            rule: #"""
                {"reply":[{"on":{"json":{"/event":"ping"}},"send":{"body":"{\"event\":\"pong\"}"}},
                  {"on":{"json":{"/cmd":"PING"}},"send":{"body":"{\"cmd\":\"PONG\"}"}}],
                 "watch":[{"on":[{"json":{"/event":"ping"}},{"json":{"/cmd":"PING"}}],"within":"30s","start":"open",\#
                "src":"policy: 3 x 10 s"}]}
                """#),
        Preset(
            name: "lighter", services: "Lighter",
            source: "ccxt 4.5.90 ccxt/pro/lighter.py; hummingbot/hummingbot@2bfaccc48d connector/exchange/lighter",
            rule: #"""
                {"reply":[{"on":{"json":{"/type":"ping"}},"send":{"body":"{\"type\":\"pong\"}"}}],
                 "beat":[{"every":"60s","when":"idle_tx","src":"policy (< 2 min)","send":{"op":"ping","body":""}}]}
                """#),
        Preset(
            name: "xt", services: "XT.com",
            source: "doc.xt.com/docs/spot/WebSocket%20Public/Heartbeat; doc.xt.com/docs/futures/WebsocKetV2/Heartbeat",
            rule: #"""
                {"beat":[{"every":"20s","src":"sdk (ccxt keepAlive 20000)","send":{"body":"ping"},
                   "ack":{"on":[{"eq":"pong"},{"json":{"/msg":"pong"}}],"within":"10s"}}]}
                """#),
        Preset(
            name: "bullish", services: "Bullish",
            source: "docs.exchange.bullish.com/websocket/protocol/keepalive; ccxt 4.5.90 ccxt/pro/bullish.py",
            rule: #"""
                {"beat":[{"every":"99s","src":"sdk",
                   "send":{"body":"{\"jsonrpc\":\"2.0\",\"type\":\"command\",\"method\":\"keepalivePing\",\"params\":{},\#
                \"id\":\"${counter}\"}"},
                   "ack":{"on":{"has":["/result"]},"equal":{"/id":"counter"},"within":"20s"}}]}
                """#),
        Preset(
            name: "polymarket-clob", services: "Polymarket CLOB market socket",
            source: "tardis-dev/tardis-node@c1d73fb src/realtimefeeds/polymarket.ts",
            rule: #"""
                {"beat":[{"every":"10s","src":"policy","send":{"body":"PING"},"ack":{"on":{"eq":"PONG"},"within":"10s"}}]}
                """#),
        Preset(
            name: "polymarket-sports", services: "Polymarket sports socket",
            source: "tardis-dev/tardis-node@c1d73fb src/realtimefeeds/polymarket.ts",
            rule: #"""
                {"reply":[{"on":{"eq":"ping"},"send":{"body":"pong"}}]}
                """#),
        Preset(
            name: "polymarket-perps", services: "Polymarket perps",
            source: "docs.polymarket.com/api-reference/wss/perps-ping; ccxt 4.5.90 ccxt/pro/polymarket.py",
            rule: #"""
                {"beat":[{"every":"20s","src":"sdk","send":{"body":"{\"id\":${counter},\"req\":\"post\",\"op\":{\"type\":\"ping\"}}"},
                   "ack":{"on":{"has":["/id"]},"equal":{"/id":"counter"},"within":"10s"}}]}
                """#),
        Preset(
            name: "poloniex", services: "Poloniex v2",
            source: "ccxt 4.5.90 ccxt/pro/poloniex.py; tardis-dev/tardis-node@c1d73fb src/realtimefeeds/poloniex.ts",
            rule: #"""
                {"beat":[{"every":"15s","src":"sdk","send":{"body":"{\"event\":\"ping\"}"},
                   "ack":{"on":{"json":{"/event":"pong"}},"within":"10s"}}]}
                """#),
        Preset(
            name: "weex", services: "WEEX",
            source: "ccxt 4.5.90 ccxt/pro/weex.py",
            rule: #"""
                {"reply":[{"on":[{"json":{"/event":"ping"}},{"json":{"/type":"ping"}}],
                   "send":{"body":"{\"id\":${counter},\"method\":\"PONG\"}"}}]}
                """#),
        Preset(
            name: "apex", services: "ApeX",
            source: "ccxt 4.5.90 ccxt/pro/apex.py",
            rule: #"""
                {"reply":[{"on":{"json":{"/op":"ping"},"has":["/args/0"],"lacks":["/ret_msg"]},
                   "send":{"body":"{\"args\":[\"${unix_ms}\"],\"op\":\"pong\"}"}}],
                 "beat":[{"every":"18s","src":"sdk","send":{"body":"{\"args\":[\"${unix_ms}\"],\"op\":\"ping\"}"},
                   "ack":{"on":[{"json":{"/op":"pong"}},{"json":{"/ret_msg":"pong"}}],"within":"10s"}}]}
                """#),
        Preset(
            name: "toobit", services: "Toobit",
            source: "ccxt 4.5.90 ccxt/pro/toobit.py",
            rule: #"""
                {"beat":[{"every":"295s","src":"sdk","send":{"body":"{\"ping\":${unix_ms}}"},
                   "ack":{"on":{"type":{"/pong":"number"}},"within":"20s"}}]}
                """#),
        Preset(
            name: "p2b", services: "P2B",
            source: "ccxt 4.5.90 ccxt/pro/p2b.py",
            rule: #"""
                {"beat":[{"every":"30s","src":"policy","send":{"body":"{\"method\":\"server.ping\",\"params\":[],\"id\":${unix_ms}}"},
                   "ack":{"on":{"json":{"/result":"pong"}},"within":"10s"}}]}
                """#),
        Preset(
            name: "coinone", services: "Coinone",
            source: "ccxt 4.5.90 ccxt/pro/coinone.py",
            rule: #"""
                {"beat":[{"every":"20s","src":"sdk","send":{"body":"{\"request_type\":\"PING\"}"},
                   "ack":{"on":{"json":{"/response_type":"PONG"}},"within":"10s"}}]}
                """#),
        Preset(
            name: "onetrading", services: "One Trading, Independent Reserve, Architect AX",
            source: "ccxt 4.5.90 ccxt/pro/onetrading.py; ccxt 4.5.90 ccxt/pro/independentreserve.py",
            rule: #"""
                {"watch":[{"on":[{"json":{"/type":"HEARTBEAT"}},{"json":{"/Event":"Heartbeat"}},{"json":{"/t":"h"}}],"within":"60s",
                   "start":"first","src":"policy"}]}
                """#),
        Preset(
            name: "ascendex-cex", services: "AscendEX, CEX.IO",
            source: "bmoscon/cryptofeed@ce58c2a0 cryptofeed/exchanges/ascendex.py; altangent/ccxws@50ec03d src/exchanges/CexClient.ts",
            rule: #"""
                {"reply":[{"on":{"json":{"/m":"ping"}},"send":{"body":"{\"op\":\"pong\"}"}},
                  {"on":{"json":{"/e":"ping"}},"send":{"body":"{\"e\":\"pong\"}"}}]}
                """#),
        Preset(
            name: "bitrue", services: "Bitrue",
            source: "ccxt 4.5.90 ccxt/pro/bitrue.py; hummingbot/hummingbot@2bfaccc48d connector/exchange/bitrue",
            rule: #"""
                {"frame":{"decode":["gzip"]},
                 "reply":[{"on":{"op":"any","json":{"/event":"ping"},"has":["/ts"]},"take":{"n":"/ts"},"send":{"body":"{\"pong\":${n}}"}},
                  {"on":{"op":"any","type":{"/ping":"number"}},"take":{"n":"/ping"},"send":{"body":"{\"pong\":${n}}"}}]}
                """#),
        Preset(
            name: "deepcoin", services: "Deepcoin",
            source: "ccxt 4.5.90 ccxt/pro/deepcoin.py",
            rule: #"""
                {"beat":[{"every":"15s","src":"sdk measurement","send":{"body":"ping"},"ack":{"on":{"eq":"pong"},"within":"5s"}}]}
                """#),
        Preset(
            name: "xrpl", services: "XRP Ledger",
            source: "XRPLF/xrpl.js@cb667bbb8 packages/xrpl/src/client/connection.ts",
            rule: #"""
                {"learn":[{"dir":"out","on":{"type":{"/id":"number"}},"path":"/id","var":"counter"}],
                 "beat":[{"every":"60s","src":"sdk","send":{"body":"{\"id\":${counter},\"command\":\"ping\"}"},
                   "ack":{"on":{"has":["/id"]},"equal":{"/id":"counter"},"within":"20s"}}]}
                """#),
        Preset(
            name: "helius-hotstuff", services: "Helius parsed streams, Hotstuff",
            source: "www.helius.dev/docs/api-reference/parsed-streams/ping",
            rule: #"""
                {"beat":[{"every":"5m","when":"idle_tx","src":"policy (< 10 min)",
                   "send":{"body":"{\"jsonrpc\":\"2.0\",\"id\":${counter},\"method\":\"ping\"}"},
                   "ack":{"on":{"has":["/result"]},"equal":{"/id":"counter"},"within":"10s"}}],
                 "watch":[{"on":"ping_frame","within":"60s","start":"first","src":"doc: over a minute"}]}
                """#),
    ]
}
