//! Between slices and tensors, without panics.

use crate::Result;
use crate::device::HOST;
use tch::{Kind, Tensor};

/// `values` row by row as `shape`, on the host.
pub fn from_f32(values: &[f32], shape: &[i64]) -> Result<Tensor> {
    Ok(Tensor::f_from_slice(values)?.f_reshape(shape)?)
}

/// `values` row by row as `shape`, on the host, double precision.
pub fn from_f64(values: &[f64], shape: &[i64]) -> Result<Tensor> {
    Ok(Tensor::f_from_slice(values)?.f_reshape(shape)?)
}

/// Indices, where `like` is.
pub fn indices(values: &[i64], like: &Tensor) -> Result<Tensor> {
    Ok(Tensor::f_from_slice(values)?.f_to_device(like.device())?)
}

/// All elements row by row.
pub fn to_f32(tensor: &Tensor) -> Result<Vec<f32>> {
    let flat = tensor.f_to_kind(Kind::Float)?.f_to_device(HOST)?.f_contiguous()?;
    let count = flat.numel();
    let mut values = vec![0.0; count];
    flat.f_copy_data(&mut values, count)?;
    Ok(values)
}

/// All elements row by row.
pub fn to_f64(tensor: &Tensor) -> Result<Vec<f64>> {
    let flat = tensor.f_to_kind(Kind::Double)?.f_to_device(HOST)?.f_contiguous()?;
    let count = flat.numel();
    let mut values = vec![0.0; count];
    flat.f_copy_data(&mut values, count)?;
    Ok(values)
}

/// All elements row by row.
pub fn to_i64(tensor: &Tensor) -> Result<Vec<i64>> {
    let flat = tensor.f_to_kind(Kind::Int64)?.f_to_device(HOST)?.f_contiguous()?;
    let count = flat.numel();
    let mut values = vec![0; count];
    flat.f_copy_data(&mut values, count)?;
    Ok(values)
}
