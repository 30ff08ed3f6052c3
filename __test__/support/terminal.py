# Runs a command in a terminal of its own, as its foreground job: python3 terminal.py MARK COMMAND…. Types Ctrl-C when the
# file MARK is there, and prints how the command ended: "exit N" or "signal N".
import os, pty, sys, time

mark, command = sys.argv[1], sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
while not os.path.exists(mark):
    time.sleep(0.005)
os.write(terminal, b"\x03")
_, status = os.waitpid(pid, 0)
print(f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}")
