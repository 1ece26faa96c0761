// The browser that the tests drive: CHROMIUM names it, or it is where Debian and others put it.
import { existsSync } from "node:fs";

export const browserPath = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome"].find((path) => path && existsSync(path));
export const missing = "no chromium found: install it or set CHROMIUM to its path";
