"""What systemd does for NOTIFY_SOCKET: prints each datagram as one line, `|` for a line break. An address with @ at its start is abstract."""
import socket, sys

path = sys.argv[1]
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind("\0" + path[1:] if path[0] == "@" else path)
print("bound", flush=True)
while True:
    print(receiver.recv(65536).decode().replace("\n", "|"), flush=True)
