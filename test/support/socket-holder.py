"""What systemd does for a .socket unit: holds a listening socket, prints its port, and for each line of its input, a command as JSON, runs it
with that socket as descriptor 3. Prints the exit status when it has ended. Not waited for in between: the next line may come at once."""
import json, os, socket, subprocess, sys, threading

name = sys.argv[1]
listening = socket.create_server(("127.0.0.1", 0), backlog=64)
print(listening.getsockname()[1], flush=True)

def run(command):
    child = os.fork()
    if child == 0:
        os.dup2(listening.fileno(), 3)
        os.set_inheritable(3, True)
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES=name)
        os.execvp(command[0], command)
    print("started", child, flush=True)
    print("ended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)

for line in sys.stdin:
    threading.Thread(target=run, args=(json.loads(line),)).start()
