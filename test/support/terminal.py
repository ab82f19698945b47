"""Runs a program as the foreground of a terminal of its own, and closes the terminal when told to.

usage: terminal.py PROGRAM ARGUMENT...
What the program writes to its terminal is copied to stdout, after a line {"event":"terminal","pid":N}. A line, or the
end, of stdin closes the terminal. The exit status is that of the program; 128 and the number if a signal ended it.
"""
import ctypes
import os
import pty
import select
import signal
import sys

pid, terminal = pty.fork()
if pid == 0:
    # It may outlive its terminal, but not the test: PR_SET_PDEATHSIG.
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    os.execvp(sys.argv[1], sys.argv[1:])

os.write(1, b'{"event":"terminal","pid":%d}\n' % pid)
while True:
    ready, _, _ = select.select([0, terminal], [], [])
    if terminal in ready:
        try:
            os.write(1, os.read(terminal, 65536))
        except OSError:  # the program ended
            break
    if 0 in ready:
        break
os.close(terminal)
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.exit(status if status >= 0 else 128 - status)
