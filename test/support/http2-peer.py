"""A foreign peer of HTTP/2 over mutual TLS, by Python's library h2: `client PORT CA CERT KEY`, or `server 0 CA CERT KEY`, which prints its port.
Each line of its input is a list of commands, as JSON, which go out in one write: {"open": "HOST:PORT"}, {"send": ID, "bytes": N}, {"end": ID},
{"reset": ID, "code": N}, {"goaway": CODE}; and last {"fin": 1} (FIN of TCP, no close_notify) or {"cut": 1} (RST of TCP). A server answers each
CONNECT with 200. What happens is printed as lines of JSON: {"what": "request" | "status" | "got" | "end" | "reset" | "closed", "id": ID, ...}."""
import json, queue, selectors, socket, ssl, struct, sys, threading
import h2.config, h2.connection, h2.events, h2.settings

role, port, ca, cert, key = sys.argv[1:6]
commands = queue.Queue()
waker, waking = socket.socketpair()
window = 1 << 20

def read_commands():
    for line in sys.stdin:
        commands.put(json.loads(line))
        waker.send(b"x")

def say(what, **facts):
    print(json.dumps({"what": what, **facts}), flush=True)

def connected():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT if role == "client" else ssl.PROTOCOL_TLS_SERVER)
    context.load_verify_locations(ca)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(cert, key)
    context.set_alpn_protocols(["h2"])
    if role == "client":
        return context.wrap_socket(socket.create_connection(("127.0.0.1", int(port))), server_hostname="127.0.0.1")
    listening = socket.create_server(("127.0.0.1", 0))
    say("listening", port=listening.getsockname()[1])
    return context.wrap_socket(listening.accept()[0], server_side=True)

def handle(event):
    if isinstance(event, h2.events.RequestReceived):
        say("request", id=event.stream_id)
        http2.send_headers(event.stream_id, [(":status", "200")])
    elif isinstance(event, h2.events.ResponseReceived):
        say("status", id=event.stream_id, status=int(dict(event.headers)[b":status"]))
    elif isinstance(event, h2.events.DataReceived):
        say("got", id=event.stream_id, bytes=len(event.data))
        http2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
    elif isinstance(event, h2.events.StreamEnded):
        say("end", id=event.stream_id)
    elif isinstance(event, h2.events.StreamReset):
        say("reset", id=event.stream_id, code=int(event.error_code))

def frame(kind, stream, payload):
    """h2 refuses to send what its own state machine forbids, such as RST_STREAM on a stream that has ended."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, 0]) + struct.pack(">I", stream) + payload

def obey(command):
    """Returns bytes to send, behind those of the commands before it."""
    if "open" in command:
        stream = http2.get_next_available_stream_id()
        http2.send_headers(stream, [(":method", "CONNECT"), (":authority", command["open"])])
    elif "send" in command:
        http2.send_data(command["send"], b"x" * command["bytes"])
    elif "end" in command:
        http2.end_stream(command["end"])
    elif "reset" in command:
        return http2.data_to_send() + frame(3, command["reset"], struct.pack(">I", command["code"]))
    elif "goaway" in command:
        return http2.data_to_send() + frame(7, 0, struct.pack(">II", http2.highest_inbound_stream_id, command["goaway"]))
    return http2.data_to_send()

def sent(output):
    try:
        tls.sendall(output)
    except OSError:
        pass # the peer is gone, or our own FIN is sent

def obey_all(several):
    """Returns whether the connection is still there."""
    sent(b"".join(obey(command) for command in several))
    if {"fin": 1} in several:
        with socket.socket(fileno=socket.dup(tls.fileno())) as below:
            below.shutdown(socket.SHUT_WR)
    if {"cut": 1} in several:
        tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        tls.close()
        return False
    return True

def receive():
    tls.setblocking(False)
    received = b""
    try:
        while True:
            part = tls.recv(65536)
            if part == b"":
                return None
            received += part
    except (ssl.SSLWantReadError, BlockingIOError):
        pass
    except OSError:
        return None
    finally:
        tls.setblocking(True)
    for event in http2.receive_data(received) if received else []:
        handle(event)
    return http2.data_to_send()

tls = connected()
http2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=role == "client", validate_inbound_headers=False,
    validate_outbound_headers=False))
http2.initiate_connection()
http2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
sent(http2.data_to_send())
threading.Thread(target=read_commands, daemon=True).start()
ready = selectors.DefaultSelector()
ready.register(tls, selectors.EVENT_READ, "tls")
ready.register(waking, selectors.EVENT_READ, "command")
reading = True
while reading:
    for found, _ in ready.select():
        if found.data == "command":
            waking.recv(1)
            reading = obey_all(commands.get())
        else:
            answer = receive()
            reading = answer is not None
            sent(answer or b"")
        if not reading:
            break
say("closed")
