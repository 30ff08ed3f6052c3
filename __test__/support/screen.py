# Runs a command in a terminal of its own, as its foreground job, and copies what it writes there:
# python3 screen.py ROWS COLUMNS COMMAND…. Ends as the command does, with 128 and the number of a signal.
import fcntl, os, pty, struct, sys, termios

rows, columns, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
ready, go = os.pipe()
pid, terminal = pty.fork()
if pid == 0:
    os.read(ready, 1)
    os.execvp(command[0], command)
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
os.write(go, b"!")
while True:
    try:
        data = os.read(terminal, 65536)
    except OSError:  # so the end of a terminal looks
        break
    if not data:
        break
    while data:
        data = data[os.write(1, data):]
_, status = os.waitpid(pid, 0)
sys.exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))
