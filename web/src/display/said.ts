import { notifications } from "@mantine/notifications";
import { problemOf } from "../api/problem.ts";

/** Says in the corner that something was done. */
export const say = (message: string) =>
  notifications.show({ message, color: "pine", autoClose: 4_000, withBorder: true });

/** Says that something was not; stays until it is closed. */
export const sayProblem = (what: string, error: unknown) => {
  const { detail, code } = problemOf(error);
  notifications.show({
    title: what,
    message: `${detail} (${code})`,
    color: "red",
    autoClose: false,
    withBorder: true,
  });
};
