"""Many questions at once: answers come in the order of the questions, and a server that goes away is told as such."""

import socket
import threading
from contextlib import closing, suppress

import pytest

from patron.sim.closed.asking import Asking
from patron.sim.server.load import NoAnswer


def answering(listener: socket.socket, answers: int) -> None:
    """Answer so many questions on each connection with their own body, in two pieces, and then hang up."""

    def serve(connection: socket.socket) -> None:
        # whoever asked may hang up first, as some other connection was refused
        with connection, suppress(OSError):
            for _ in range(answers):
                held = b""
                while b"\r\n\r\n" not in held:
                    part = connection.recv(65_536)
                    if not part:
                        return
                    held += part
                body = held.partition(b"\r\n\r\n")[2]
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                connection.sendall(head + body[:3])
                connection.sendall(body[3:])

    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


def test_answers_keep_the_order_of_questions_until_the_server_goes_away() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=answering, args=(listener, 2), daemon=True).start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with closing(listener), closing(Asking(url, "sk_1", connections=3)) as asking:
        bodies = [{"placement": f"p{n}" * (1 + n)} for n in range(5)]
        assert list(asking.ask(bodies)) == [(200, body) for body in bodies]
        with pytest.raises(NoAnswer, match="no answer from http"):
            list(asking.ask(bodies))
