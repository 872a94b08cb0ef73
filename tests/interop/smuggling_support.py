"""What the tests of request smuggling share: nginx in front of a server, and logs that agree."""
import re
from collections import Counter

import get_support
import support

PROXY = """
daemon off; master_process off; pid {root}/pid; error_log {root}/error.log;
events {{ worker_connections 64; }}
http {{
    log_format told escape=none '"$request_uri" "$upstream_status" "$upstream_addr"';
    access_log {root}/access.log told;
    client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; fastcgi_temp_path {root}/t3;
    uwsgi_temp_path {root}/t4; scgi_temp_path {root}/t5;
    upstream cleat {{ server 127.0.0.1:{to}; keepalive 1; }}
    server {{
        listen 127.0.0.1:{port} {listen}; underscores_in_headers on; proxy_ignore_client_abort on;
        location / {{
            proxy_pass {scheme}://cleat; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_set_header Host localhost; proxy_request_buffering {buffering};
        }}
    }}
}}
"""


class Proxy:
    """nginx in front of a server, with one connection to it that it keeps."""

    def __init__(self, to, scheme, buffering, listen=""):
        self.port = get_support.free_port()
        self.root = support.folder() / f"nginx-{to}"
        self.root.mkdir()
        (self.root / "nginx.conf").write_text(PROXY.format(
            root=self.root, port=self.port, to=to, scheme=scheme, buffering=buffering,
            listen=listen))
        self.peer = get_support.Peer(["nginx", "-c", self.root / "nginx.conf", "-p", self.root,
                                      "-e", self.root / "error.log"], self.port, self.root)

    def passed_on(self):
        """Counts of (target, status) that the server has answered, and of the targets of requests
        that were begun and given up: a body that turned out wrong on its way."""
        text = (self.root / "access.log").read_bytes().decode("latin-1")
        answered, given_up = Counter(), Counter()
        for target, status, to in re.findall(r'(?m)^"(.*)" "([^"]*)" "([^"]*)"$', text):
            target = "/" * (target[:1] != "/") + target  # https://localhost?x is "?x" here
            if status.isdigit():
                answered[target, status] += 1
            elif to:
                given_up[target] += 1
        return answered, given_up

    def agrees_with(self, logged):
        """Both have the same requests, with the same targets and statuses. Gives what they have."""
        seen = Counter((unescaped(request.split(" ")[1]), status) for _, request, status in logged)
        answered, given_up = self.passed_on()
        for (target, status), times in (seen - answered).items():
            assert times <= given_up[target], f"nginx has not sent {target} ({status})"
        assert not answered - seen, f"nginx got answers to nothing: {answered - seen}"
        return seen


def unescaped(text):
    return re.sub(r"\\x([0-9a-f]{2})", lambda m: chr(int(m.group(1), 16)), text)


def requests_of(server):
    """What the server has logged: the peer's port, the request line, the status."""
    line = re.compile(r'^\S*?:(\d+) .*?"([^"]*)" (\d+) ')
    return [line.match(text).groups() for text in server.access.lines]
