// A copy: what lies outside of the web app cannot be read by the development server. A test holds it to the original.
import text from "./example.toml?raw";

/** `examples/ifng-screen/campaign.toml`: complete, commented, and right. */
export const EXAMPLE = text;
