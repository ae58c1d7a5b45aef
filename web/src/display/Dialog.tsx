import { Modal, type ModalProps } from "@mantine/core";

const stay = () => {};

/** Stays open while what it asked for is under way: whatever becomes of that is then said in it. */
export function Dialog({ pending, onClose, ...props }: ModalProps & { pending: boolean }) {
  return <Modal {...props} onClose={pending ? stay : onClose} closeButtonProps={{ disabled: pending }} />;
}
