"""What each fuzz target starts from: inputs, written as the target reads them, its choices first, then the data; and words to put in."""

import json
import pathlib
import struct
import zlib

KEY = bytes([0x37, 0xFA, 0x21, 0x3D])
TEXT = "Grüße, Welt: \N{EURO SIGN} \N{GRINNING FACE}".encode()


def frame(opcode: int, payload: bytes, final: bool = True, reserved: int = 0, key: bytes | None = None) -> bytes:
    """A frame of RFC 6455 section 5.2, with the shortest length."""
    mask = 0x80 if key else 0
    head = bytes([(0x80 if final else 0) | reserved | opcode])
    if len(payload) < 126:
        head += bytes([mask | len(payload)])
    elif len(payload) <= 0xFFFF:
        head += bytes([mask | 126]) + struct.pack(">H", len(payload))
    else:
        head += bytes([mask | 127]) + struct.pack(">Q", len(payload))
    if key is None:
        return head + payload
    return head + key + bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))


def frame_reader() -> list[bytes]:
    def wires(key: bytes | None) -> list[bytes]:
        return [
            frame(1, b"Hello", key=key),
            frame(1, TEXT, key=key) + frame(2, bytes(range(200)), key=key) + frame(1, b"", key=key),
            frame(1, TEXT[:3], final=False, key=key) + frame(9, b"ping", key=key) + frame(0, TEXT[3:], key=key),
            frame(2, b"a" * 40, final=False, key=key) + frame(0, b"", final=False, key=key) + frame(0, b"b" * 60, key=key),
            frame(10, b"", key=key) + frame(8, struct.pack(">H", 1000) + b"bye", key=key) + frame(1, b"late", key=key),
            frame(1, b"\xed\xa0\x80", key=key),
            frame(2, b"reserved", reserved=0x40, key=key),
            frame(0, b"no start", key=key),
            frame(2, b"", final=False, key=key) + frame(1, b"inside", key=key),
            frame(9, b"long" * 32, key=key),
        ]

    client, server = bytes([0, 0, 0, 0, 9]), bytes([1, 0, 0, 0, 9])
    small, in_parts = bytes([0, 1, 0, 0, 9]), bytes([0, 0, 1, 0, 9])
    lengths = [b"\x82\x7f" + struct.pack(">Q", size) for size in (1 << 40, 1 << 63, 300)] + [b"\x82\x7e\x00\x05short"]
    to_client = [choices + wire for choices in (client, small, in_parts) for wire in wires(None) + lengths]
    return to_client + [server + wire for wire in wires(KEY)]


def deflate(*payloads: bytes) -> list[bytes]:
    """Compressed payloads of messages that share a context."""
    stream = zlib.compressobj(wbits=-9)
    return [(stream.compress(payload) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4] for payload in payloads]


def compressed_message() -> list[bytes]:
    def messages(*payloads: bytes) -> bytes:
        halves = [(payload[:3], payload[3:]) for payload in payloads]
        return b"".join(bytes([1, len(first)]) + first + bytes([len(second)]) + second for first, second in halves)

    # A final block (RFC 7692 section 7.2.3.4), a stored one (7.2.3.3), bytes that are no block at all, and 64 KiB in a few bytes.
    final = zlib.compressobj(wbits=-9)
    final_block = final.compress(b"Hello") + final.flush() + b"\x00"
    stored = b"\x00\x05\x00\xfa\xffHello\x00"
    wires = [messages(*deflate(TEXT)), messages(*deflate(TEXT, TEXT, b"", TEXT)), messages(final_block, final_block), messages(stored),
             messages(b"\x07\xff"), messages(*deflate(b"a" * 65536)), messages(*deflate(b"\xff" * 20))]  # fmt: skip
    return [bytes([small, parts, context, 0, 7]) + wire for small, parts, context in ((0, 0, 1), (1, 1, 0), (0, 1, 1)) for wire in wires]


def message_assembly() -> list[bytes]:
    def message(kind: int, payload: bytes, compressed: int, *fragments: int) -> bytes:
        return bytes([kind, len(payload)]) + payload + bytes([compressed, len(fragments), *fragments])

    wires = [
        message(1, b"Hello", 0),
        message(1, TEXT, 1) + message(1, TEXT, 1, 4) + message(0, bytes(100), 1, 1, 0, 1),
        message(1, TEXT, 0, 7, 1, 0, 2) + message(1, b"", 0, 0) + message(0, b"", 1),
        message(0, b"x" * 201, 1) + message(1, b"after", 0),
        message(1, b"\xc3", 0) + message(1, b"after", 1),
    ]
    return [bytes([role, parts, context, 0, 11]) + wire for role, parts, context in ((0, 0, 0), (1, 1, 1), (0, 1, 0)) for wire in wires]


def client_handshake() -> list[bytes]:
    fields = "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
    switching = "HTTP/1.1 101 Switching Protocols\r\n" + fields
    answers = [
        switching + "\r\n",
        switching + "Sec-WebSocket-Protocol: superchat\r\n\r\n\x81\x05Hello",
        switching + "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_max_window_bits=10\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + switching + "\r\n",
        "HTTP/1.0 101 Switching Protocols\r\n" + fields + "\r\n",
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\ngo off and more",
        "HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbusy\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
        "HTTP/1.1 200\r\n\r\n<html>until the end</html>",
        "HTTP/1.1 301 Moved\r\nLocation: ../feed?v=2#now\r\nContent-Length: 2\r\n\r\nno",
        "HTTP/1.1 308 Moved\r\nLocation: https://other.example:8443/./x/../y\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: ws://plain.example/\r\n\r\n",
        "HTTP/1.1 429 Slowly\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 Busy\r\nRetry-After: Sun, 06 Nov 1994 08:49:38 GMT\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 Busy\r\nRetry-After: Sunday, 06-Nov-94 09:49:37 GMT\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 Busy\r\nRetry-After: Tue Feb 29 08:49:37 2000\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 101 x\r\nUpgrade : websocket\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
    ]
    nothing, everything = bytes([0, 0, 0, 0, 0, 30]), bytes([1, 1, 1, 1, 0, 30])
    return [choices + answer.encode() for choices in (nothing, everything) for answer in answers]


def server_handshake() -> list[bytes]:
    def request(*fields: str, line: str = "GET /chat?room=1 HTTP/1.1", host: str = "server.example.com:8080", version: str = "13") -> str:
        key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
        upgrade = ["Upgrade: websocket", "Connection: keep-alive, Upgrade", key, f"Sec-WebSocket-Version: {version}"]
        return "\r\n".join([line, f"Host: {host}", *upgrade, *fields, "", ""])

    requests = [
        request(),
        "\r\n" + request("Origin: http://example.com", "Sec-WebSocket-Protocol: chat, superchat", "Sec-WebSocket-Protocol: third"),
        request("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits") + "\x81\x85\x01\x02\x03\x04Hello",
        request("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10", "Sec-WebSocket-Extensions: x-other"),
        request(line="GET http://[::1]:81/absolute HTTP/1.1", host="[::1]:81"),
        request(line="POST / HTTP/1.1"),
        request(line="GET / HTTP/1.0"),
        request(version="8"),
        request("Content-Length: 5") + "sneak",
        request("Transfer-Encoding: chunked") + "0\r\n\r\n",
        request("Host: second"),
        request("Sec-WebSocket-Protocol: a, a"),
        "GET / HTTP/1.1\r\nHost : h\r\n folded\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01",
    ]
    return [choices + text.encode("latin-1") for choices in (b"\x00\x00\x28", b"\x01\x00\x28") for text in requests]


def deflate_negotiation() -> list[bytes]:
    fields = [
        "permessage-deflate",
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate; client_no_context_takeover; server_no_context_takeover; client_max_window_bits=9; server_max_window_bits=10",
        'permessage-deflate; server_max_window_bits="12", permessage-deflate; client_max_window_bits, x-webkit-deflate-frame',
        "x-other; a=b\npermessage-deflate ; server_no_context_takeover",
        "permessage-deflate; server_max_window_bits=08, permessage-deflate; client_max_window_bits=16",
        "permessage-deflate; client_max_window_bits=7, permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; client_max_window_bits; client_max_window_bits=8",
        ", ,\n;=",
    ]
    return [choice + field.encode() for choice in (b"\x06\x06\x01\x01", b"\x00\x03\x00\x00") for field in fields]


def url() -> list[bytes]:
    urls = [
        "ws://example.com", "wss://example.com:8443/feed?room=1", "WSS://EXAMPLE.com:443", "ws://127.0.0.1:65535/", "ws://[::1]:8080/chat",
        "wss://[fe80::1%25eth0]/", "ws://host?query", "ws://user:secret@host/", "ws://host/#part", "ws://host:0/", "http://host/",
        "ws://h\N{LATIN SMALL LETTER O WITH DIAERESIS}st/", "ws://[::ffff:192.0.2.1]", "ws://host:/", "ws:///",
        "//other/path", "/a/./b/../../c/", "../..", "?query", "https://host", "g;x=1/../y#s", "",
    ]  # fmt: skip
    return [text.encode() for text in urls]


def close_payload() -> list[bytes]:
    codes = (0, 999, 1000, 1001, 1003, 1004, 1005, 1006, 1007, 1011, 1014, 1015, 2999, 3000, 4999, 5000)
    return [b"", b"\x03", struct.pack(">H", 1000) + TEXT, struct.pack(">H", 1000) + b"\xc3", *(struct.pack(">H", code) for code in codes)]


def json_scan() -> list[bytes]:
    pointers = ["", "/a", "/a/b", "/a/0", "/a/!/b", "/a/!/!/0", "/0", "/1/a", "/-", "/a~1b", "/m~0n", "/a/b/!", "/", "/\N{EURO SIGN}"]
    documents = [
        '{"a":{"b":1,"c":[true,false,null]},"b":-1.50e+03}',
        ' [ 0 , {"a" : "x\\u0020\\"y\\"\\ud83e\\udec0" } , [ ] ]\r\n',
        '{"a":{"b":1},"\\u0061":[2]}',
        '{"a":"{\\"b\\":\\"[7]\\",\\"b\\":{}}"}',
        '{"a":"\\"[1]\\""}',
        '{"a/b":1,"m~n":2,"a\\/b":3,"":4,"-":5,"0":6,"\N{EURO SIGN}":7,"\\u20ac":8,"a\\ud83e":9}',
        '{"a":"{\\"b\\":1"}',
        "[" * 64 + "]" * 64,
        '{"a":' * 65 + "1" + "}" * 65,
        '{"a":1e99999999999999999999,"b":-0.000,"c":00}',
        '"\\ud83e\\u00e9\\/\\b\\f\\n\\r\\t\\\\"',
        "nul",
    ]
    lines = "\n".join(pointers).encode()
    return [bytes([len(lines)]) + lines + document.encode() for document in documents] + [b"\x02/a" + b'{"a":"\xff\xed\xa0\x80"}']


def literal_filter() -> list[bytes]:
    def literals(*texts: bytes) -> bytes:
        return bytes([len(texts)]) + b"".join(bytes([len(text)]) + text for text in texts)

    matching = b'{"channel":"heartbeat","params":{"type":"test_request"},"id":17}'
    messages = [b"", b'{"op":"ping"}', matching, b"a" * 100 + b"heartbeat", b"x" * 99 + b"\\"]
    sets = [literals(), literals(b'"ping"'), literals(b"heartbeat", b"test_request"), literals(b"aa", b"a", b"b" * 40), literals(b"", b"x")]
    return [chosen + message for chosen in sets for message in messages]


def rule_compiler() -> list[bytes]:
    """Each rule of the transcripts with a message that its server sends."""
    transcripts = json.loads((pathlib.Path(__file__).parents[1] / "Transcripts" / "heartbeats.json").read_text())
    found = []
    for number, transcript in enumerate(transcripts):
        rule = json.dumps(transcript["rule"], separators=(",", ":")).encode()
        rule += b" " * (-len(rule) % 4)
        payloads = [step["payload"].encode() for step in transcript["steps"] if step["from"] == "server" and "payload" in step]
        if len(rule) <= 1020:
            found.append(bytes([number % 3, len(rule) // 4]) + rule + b"\0" + b"".join(payloads[-1:]))
    return found


def opening_script() -> list[bytes]:
    """Scripts, each with messages from its server: the time that passes before, kind, size, bytes, and whether a poll comes first."""

    def script(frame: int, steps: list[str], *messages: bytes) -> bytes:
        texts = b"".join(bytes([len(step)]) + step.encode() for step in steps)
        shown = b"".join(bytes([1, 0, len(message)]) + message + b"\x01" for message in messages)
        return bytes([frame, 1, len(steps) - 1]) + texts + shown

    login = [
        '{"expect": {"json": {"/event": "hello"}}, "learn": {"nonce": "/nonce", "counter": "/n"}}',
        '{"send": {"body": "{\\"op\\":\\"login\\",\\"nonce\\":${last.nonce},\\"id\\":${counter}}"}}',
        '{"expect": {"json": {"/event": "login", "/code": 0}}, "fail": {"json": {"/event": "error"}}, "timeout": "3s"}',
    ]
    hello, accepted, refused = b'{"event":"hello","nonce":"a1","n":41}', b'{"event":"login","code":0}', b'{"event":"error","code":7}'
    token = [
        '{"expect": {"has": ["/token"]}, "learn": {"t": {"after": "\\"token\\":\\"", "until": "\\""}}}',
        '{"send": {"body": "${last.t}"}}',
    ]
    anything = ['{"expect": {}, "learn": {"all": "payload"}}', '{"send": {"op": "binary", "body": "${last.all|x}", "encode": ["gzip"]}}']
    packed = zlib.compressobj(wbits=31)
    return [
        script(0, login, hello, accepted), script(0, login, b"first", hello, refused), script(1, login, hello + b"\n" + accepted + b"\n"),
        script(0, token, b'{"token":"secret"}'), script(0, token, b'{"token":5}'), script(2, login, b"~m~" + b"37~m~" + hello),
        script(3, anything, packed.compress(b"plain") + packed.flush()), script(4, anything, *deflate(hello + b"\x1e")),
        script(0, ['{"send": {"body": "hello"}}', '{"send": {"op": "binary", "hex": "0001"}}']),
        script(0, ['{"send": {"body": "${last.x}"}}', '{"sent": {}}', '{"expect": {}, "timeout": "0s"}']),
    ]  # fmt: skip


def unit_splitter() -> list[bytes]:
    def message(framing: int, payload: str) -> bytes:
        return bytes([framing, 1]) + payload.encode()

    packets = b"\xd0\0" + b"\x30\x03abc" + b"\x30\x46" + b"p" * 70 + b"\x30\xac\x02" + b"q" * 300 + b"\xd0\0"
    return [
        message(0, "whole"), message(1, "{}\n\n{} \r\nlast"), message(2, "PING :a\r\n\r\nb\rc\nd"), message(3, "{}\x1e{}\x1e"),
        message(4, "~m~4~m~~h~1~m~3~m~\N{EURO SIGN}\N{GRINNING FACE}~m~0~m~"), bytes([5, 0]) + b"\x02\x91\x06\0\xac\x02" + b"x" * 300,
        b"\x06\0" + packets, b"\x06\x04\x01\x01\x04\x0a" + packets, b"\x06\x03\x50\x20\x01" + packets,
        b"\x06\0\x30\xff\xff\xff\xff\x01",
    ]  # fmt: skip


def template() -> list[bytes]:
    texts = [
        "plain", "${id}${?x},${x}${/}", "${?id}${?x}${?p}${?id}deep${/}${/}${/}${/}", "${counter}${uuid}${rand}${unix_s}${unix_ms}${iso8601}",
        "${last.a|b|c}${last.a}", "${payload}${p}", "$${", "${", "${/}", "${?id}", "${last.}", "}{$",
    ]  # fmt: skip
    message = b'{"id":[1, "x=5;"],"x":null}'
    return [bytes([kind, 1, 2]) + b"25" + bytes([len(text)]) + text.encode() + message for kind in range(4) for text in texts]


SEEDS = {
    "ClientHandshake": client_handshake,
    "ClosePayload": close_payload,
    "CompressedMessage": compressed_message,
    "DeflateNegotiation": deflate_negotiation,
    "FrameReader": frame_reader,
    "JSONScan": json_scan,
    "LiteralFilter": literal_filter,
    "MessageAssembly": message_assembly,
    "OpeningScript": opening_script,
    "RuleCompiler": rule_compiler,
    "ServerHandshake": server_handshake,
    "Template": template,
    "URL": url,
    "UnitSplitter": unit_splitter,
}


FIELDS = [
    "permessage-deflate", "; client_no_context_takeover", "; server_no_context_takeover", "; client_max_window_bits",
    "; server_max_window_bits", "=8", "=9", "=15", "=1", ", ",
]  # fmt: skip
WORDS = {
    "ClientHandshake": [
        "HTTP/1.1 ", "101", "200", "401", "\r\n", "\r\n\r\n", ": ", "Upgrade: websocket", "Connection: Upgrade",
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "Sec-WebSocket-Protocol: chat", "Sec-WebSocket-Extensions: ",
        "Content-Length: ", "Transfer-Encoding: chunked", "Location: ", "Retry-After: ", " GMT", *FIELDS,
    ],
    "DeflateNegotiation": FIELDS,
    "JSONScan": [
        "null", "true", "false", '":', '","', "\\u0061", "\\ud83e", "\\udec0", '\\"', "[[", "]]", '{"a":', "/!", "/a", "~0", "~1", "1e9",
    ],
    "OpeningScript": [
        *(f'"{name}":' for name in "send expect timeout learn fail op body hex encode eq prefix word json has type after until".split()),
        '"binary"', '"text"', '"/op"', '"payload"', '["gzip"]', '"5s"', "${last.a}", "${last.a|b}", "${counter}", "null", "{}",
        '{"a":"/a"}', '{"expect":{}}', '{"send":{"body":"x"}}', '"note":',
    ],
    "RuleCompiler": [
        *(f'"{name}":' for name in "frame setup learn reply beat watch stamp reconnect replace send on take every start ack".split()),
        *(f'"{name}":' for name in "op eq hex len prefix word json has lacks type empty path var dir probe first when".split()),
        *(f'"{name}":' for name in "within equal at_least default_ms body wrap encode decode split unit min_ms max_ms mul add_ms".split()),
        '"add_var":',
        *(f'"{name}"' for name in "forbidden open any_rx ping_frame next_beat idle_rx jitter binary any payload counter tv mqtt".split()),
        '"20s"', '"/op"', '"ping"', "${counter}", "${?n}", "${/}", "${last.v|1}", '"body":"x"', '"send":{"body":"${counter}"}', "null",
    ],
    "ServerHandshake": [
        "GET / HTTP/1.1\r\n", "Host: ", "\r\n", "\r\n\r\n", ": ", "Upgrade: websocket", "Connection: Upgrade", "Origin: null",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: a, b",
        "Sec-WebSocket-Extensions: ", "Content-Length: 0", "http://",
    ],
    "Template": ["${", "}", "${/}", "${?id}", "${id}", "${x}", "${p}", "${payload}", "${counter}", "${uuid}", "${rand}", "${last.a|"],
    "URL": ["ws://", "wss://", "[::1]", "%25eth0", ":65535", "#", "@", "?", "//", "../", "/./"],
    "UnitSplitter": ["\n", "\r\n", "\x1e", "~m~", "~m~4~m~", "\x30", "\N{GRINNING FACE}"],
}  # fmt: skip


def write_seeds(target: str, folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[target]()):
        (folder / f"{number:03}").write_bytes(seed)


def write_words(target: str, file: pathlib.Path) -> bool:
    """Writes libFuzzer's dictionary; false if the target has no words."""
    words = ["".join(f"\\x{byte:02x}" for byte in word.encode()) for word in WORDS.get(target, [])]
    file.write_text("".join(f'"{word}"\n' for word in words))
    return bool(words)
