/** How to reach the controller after its socket failed with this code of the system. */
export function reachHint(code: string | undefined): string {
  return code === 'EACCES'
    ? 'only root may use it: run the command with sudo, or as root in the container (docker exec -u 0 dock2ban dock2ban …)'
    : 'is it running? In compose: docker exec dock2ban dock2ban …; elsewhere: start `dock2ban run`, as root, or name its --socket';
}
