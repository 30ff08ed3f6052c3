"""Runs a command to which the system refuses one call, as the seccomp profile of a container does.

    refuse.py CALL ERRNO COMMAND...

Ends with code 77 and a reason where that cannot be arranged.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

NUMBERS = {
    "x86_64": {"memfd_create": 319, "socketpair": 53},
    "aarch64": {"memfd_create": 279, "socketpair": 199},
}
AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000


def unable(reason):
    print("UNABLE " + reason)
    sys.exit(77)


call, error, command = sys.argv[1], getattr(errno, sys.argv[2]), sys.argv[3:]
machine = platform.machine()
if platform.system() != "Linux" or machine not in NUMBERS:
    unable("no seccomp numbers for %s on %s" % (platform.system(), machine))

# Of another architecture: allow. The call: fail. Others: allow.
instructions = [
    (LOAD, 0, 0, 4),
    (JUMP_IF_EQUAL, 0, 3, AUDIT_ARCH[machine]),
    (LOAD, 0, 0, 0),
    (JUMP_IF_EQUAL, 0, 1, NUMBERS[machine][call]),
    (RETURN, 0, 0, FAIL | error),
    (RETURN, 0, 0, ALLOW),
]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in instructions))


class Program(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


program = Program(len(instructions), ctypes.addressof(code))
prctl = ctypes.CDLL(None, use_errno=True).prctl
if prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
    unable("seccomp: " + os.strerror(ctypes.get_errno()))
os.execvp(command[0], command)
