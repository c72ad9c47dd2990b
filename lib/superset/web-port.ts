/** Port that the web server of each Superset listens on. */
export const WEB_PORT = 8088;
