/**
 * A line of nginx-proxy's. One in a hundred is a failure, of clients that never come to five within a piece of 2,500 lines.
 * @param n number of the line
 */
export function request(n: number): string {
  const client = `203.0.${n % 113}.${1 + (n % 251)}`;
  return (
    `www.example.com ${client} - - [22/Nov/2026:13:44:53 +0000] "GET /articles/${n}/index.html HTTP/1.1" ` +
    `${n % 100 === 99 ? 404 : 200} ${n % 9000} "https://www.example.com/" "Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0" "172.18.0.4:80"`
  );
}

/** A failure of one client. */
export function badRequest(ip: string): string {
  return `app.example.com ${ip} - - [22/Nov/2026:13:44:53 +0000] "GET /x HTTP/1.1" 404 1 "-" "curl" "-"`;
}
